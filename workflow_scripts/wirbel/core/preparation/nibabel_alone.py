"""nibabel without pydicom, which it would import if it is installed, for a class of header extensions that is not used
here. pydicom takes 0.08 to 0.18 s of CPU, of 0.5 to 0.8 s until a stage has all its imports.

`core` imports nibabel from here alone. `io` imports it as usual: stages import `core` first, and a test holds them to
it.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEFT_OUT = "pydicom"


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let imports of a package fail, unless it is loaded already."""
    loaded = name in sys.modules
    if not loaded:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's way to say that a module cannot be imported
    try:
        yield
    finally:
        if not loaded:
            del sys.modules[name]


with _hidden(LEFT_OUT):
    import nibabel.orientations as orientations
    from nibabel.affines import voxel_sizes

__all__ = ["orientations", "voxel_sizes"]
