"""What goes wrong with models."""

from __future__ import annotations

from wirbel.errors import InfrastructureError


class ModelError(InfrastructureError, ValueError):
    """A model is missing, incomplete or not what it should be; the text says what to do. Never a scan's fault."""
