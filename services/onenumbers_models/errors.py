"""What can be wrong with a model."""

from __future__ import annotations


class ModelError(Exception):
    """A model cannot be used; the message is one line that says which and why."""


class ModelUnsafeError(ModelError):
    """Loading or running the model ended or stopped a process that was made for trying it."""
