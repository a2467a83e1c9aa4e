"""Theories and interpretations, checked claim by claim."""
