"""Which way of computing N4 a setting asks for."""

from __future__ import annotations

from wirbel.core.preparation.n4 import fitting, itk
from wirbel.core.preparation.n4.settings import LogField

METHODS: dict[bool | str, LogField] = {True: fitting.log_field, "itk": itk.log_field}


def n4_method(setting: bool | str) -> LogField | None:
    """Return the function for `True` (dense products) or "itk", None for `False`."""
    return METHODS[setting] if setting else None
