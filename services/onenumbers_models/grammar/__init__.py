"""Schemas as grammars, and values in place of text."""
