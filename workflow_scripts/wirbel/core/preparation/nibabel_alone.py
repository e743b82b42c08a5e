"""nibabel without pydicom, which it would import if it is installed, for a class of header extensions that is not used
here. That takes a third of a second of every start: half of nibabel's own import, and a sixth of a stage's.

Import nibabel from here alone: `from wirbel.core.preparation.nibabel_alone import nib`.
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
    import nibabel as nib
    from nibabel import orientations
    from nibabel.affines import voxel_sizes

__all__ = ["nib", "orientations", "voxel_sizes"]
