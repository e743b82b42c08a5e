"""What goes wrong with models."""

from __future__ import annotations


class ModelError(Exception):
    """A model is missing, incomplete or not what the registry says; the text says what to do."""
