"""Answers to questions, each sentence tied to a passage."""
