"""The error for everything that is wrong with a model."""

from __future__ import annotations

from wirbel.errors import InfrastructureError


class ModelError(InfrastructureError, ValueError):
    """A model is missing, incomplete or wrong; the text says what to do. It is never a scan's fault."""


class UnsafeCheckpointError(ModelError):
    """A checkpoint contains a type that is not on the list."""
