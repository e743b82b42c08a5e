"""Import large libraries without Python's search for garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting_imports() -> Iterator[None]:
    """Do not look for garbage during an import, nor later among what it made: very many objects, which all stay.

    For torch that is a seventh of its import, and nearly all of every later look through all objects.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
