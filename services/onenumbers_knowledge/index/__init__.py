"""Indexes of the passages, derived from the store: vectors, words, and what ranking looks up."""
