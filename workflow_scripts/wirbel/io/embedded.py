"""Pictures and volumes as text inside a page: data addresses (RFC 2397), the same bytes for the same content."""

from __future__ import annotations

import base64
import gzip
import io

import nibabel as nib
import numpy as np
from PIL import Image

from wirbel.core.geometry import Volume
from wirbel.io.atomic import write_bytes

QUALITY, EFFORT = 75, 4
"""Of WebP: as good as the eye asks for, and quick."""


def webp_bytes(picture: Image.Image) -> bytes:
    """Return a picture as lossy WebP."""
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=QUALITY, method=EFFORT)
    return stream.getvalue()


def webp_address(picture: Image.Image) -> str:
    """Return a picture as the data address of a lossy WebP."""
    return _address("image/webp", webp_bytes(picture))


def png_address(picture: Image.Image) -> str:
    """Return a picture with a palette as the data address of a PNG."""
    stream = io.BytesIO()
    transparency = picture.info.get("transparency")
    picture.save(stream, "PNG", compress_level=6, transparency=transparency)
    return _address("image/png", stream.getvalue())


def write_webp(path, picture: Image.Image) -> None:
    """Write a picture as lossy WebP, atomically."""
    write_bytes(path, webp_bytes(picture))


def nifti_text(volume: Volume) -> str:
    """Return a volume of 8-bit numbers as base64 of a gzipped NIfTI file."""
    image = nib.Nifti1Image(volume.data.astype(np.uint8), volume.affine)
    image.header.set_xyzt_units("mm")
    packed = gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
    return base64.b64encode(packed).decode("ascii")


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
