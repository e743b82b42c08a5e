"""Write pictures as PNG without dates, so that the same picture gives the same bytes."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from wirbel.io.atomic import atomic_path


def write_picture(path: str | Path, picture: Image.Image) -> None:
    """Write a picture as PNG atomically."""
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG", optimize=False, compress_level=6)
