"""Find the file that belongs to a scan among other people's files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from wirbel.errors import ScanError

ENDINGS = (".nii.gz", ".nii", ".mha")


def label_file(folder: Path, scan_id: str, ending: str = "") -> Path | None:
    """Return the one file whose name starts with a scan's and ends as stated; None without one.

    Parameters
    ----------
    folder : Path
        Its own files and those of the participant's folder in it are looked at first, as trees of many thousand
        folders take long; all others only if these hold none.
    scan_id : str
        The scan's name.
    ending : str
        What the name ends with before its suffix. Default: anything.

    Raises
    ------
    ScanError
        "bad_annotation" if there are several.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "sub-1_mask.nii.gz").touch()
    >>> label_file(folder, "sub-1").name, label_file(folder, "sub-2")
    ('sub-1_mask.nii.gz', None)
    """
    pattern = f"{scan_id}*"
    near = [*folder.glob(pattern), *(folder / scan_id.split("_")[0]).rglob(pattern)]
    found = _of_scan(near, scan_id, ending) or _of_scan(folder.rglob(pattern), scan_id, ending)
    if len(found) > 1:
        raise ScanError(
            "bad_annotation",
            f"expected one label map {scan_id}_*{ending}.nii.gz in {folder}, found "
            f"{', '.join(path.name for path in found[:3])}; keep one, or say how its name ends",
        )
    return found[0] if found else None


def _of_scan(paths: Iterable[Path], scan_id: str, ending: str) -> list[Path]:
    return [
        path
        for path in sorted(paths)
        if path.name.endswith(ENDINGS)
        and path.name[len(scan_id)] in "_."
        and _stem(path).endswith(ending)
    ]


def _stem(path: Path) -> str:
    return next(path.name.removesuffix(e) for e in ENDINGS if path.name.endswith(e))
