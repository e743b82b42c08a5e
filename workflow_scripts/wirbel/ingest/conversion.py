"""Convert the files of one series with dcm2niix, in a private folder that is gone afterwards.

Files get neutral names there, and what dcm2niix prints is thrown away: both would repeat the header.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import dcm2niix

from wirbel.core.geometry import Volume
from wirbel.core.preparation.image_checks import checked_intensities
from wirbel.errors import InfrastructureError, ScanError
from wirbel.ingest.headers.series import Series
from wirbel.io.nifti.volumes import read_volume

LONGEST_SECONDS = 300
"""dcm2niix takes seconds for a series; longer means that it hangs."""
OUTPUT = "scan"
OPTIONS = ("-b", "n", "-z", "n", "-f", OUTPUT)
"""No sidecar (wirbel.ingest.headers.facts has one), not compressed, and a name without anything of the header."""
ENVIRONMENT = ("PATH", "LANG", "LD_LIBRARY_PATH")
COMMAND = str(dcm2niix.bin)


def converted(folder: Path, series: Series) -> Volume:
    """Return the volume of a series.

    Parameters
    ----------
    folder : Path
        A private folder; its subfolder `in` has the series' files and nothing else.
    series : Series
        The series, for messages.

    Returns
    -------
    Volume
        Voxels as dcm2niix writes them; affine voxel -> RAS+ mm.

    Raises
    ------
    ScanError
        "not_converted" or "several_series"; "bad_intensities" for a blank image; or as `read_volume` does.
    InfrastructureError
        If dcm2niix cannot be started.
    """
    made = folder / "out"
    made.mkdir()
    code = _run([COMMAND, *OPTIONS, "-o", str(made), str(folder / "in")], folder)
    images = sorted(made.glob("*.nii"))
    if len(images) > 1:
        raise ScanError(
            "several_series",
            f"dcm2niix makes {len(images)} images of the series ({series.in_words()}): export one of them",
        )
    if not images:
        _check_space(folder)
        raise ScanError(
            "not_converted",
            f"dcm2niix makes no image of the series ({series.in_words()}; exit code {code}): export it again, "
            "uncompressed",
        )
    volume = _read(images[0])
    checked_intensities(volume.data, "the converted series")
    return volume


def _read(path: Path) -> Volume:
    try:
        return read_volume(path)
    except ScanError as error:  # names the file of the private folder, which tells nobody anything
        detail = error.detail.replace(path.name, "the converted series")
        raise ScanError(error.reason, detail) from None


def _run(line: list[str], folder: Path) -> int:
    """Run a program in a folder, without its words; return its exit code."""
    known = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    environment = {**known, "HOME": str(folder), "TMPDIR": str(folder)}
    try:
        return subprocess.run(
            line,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=LONGEST_SECONDS,
        ).returncode
    except subprocess.TimeoutExpired:
        told = f"dcm2niix took more than {LONGEST_SECONDS} s: export the series again"
        raise ScanError("not_converted", told) from None
    except OSError as error:
        raise InfrastructureError(
            f"dcm2niix cannot be started ({error.strerror}): run `make setup`"
        ) from None


def _check_space(folder: Path) -> None:
    """Blame a full disk, not the series, where nothing was written."""
    free = shutil.disk_usage(folder).free
    needed = sum(path.stat().st_size for path in (folder / "in").iterdir())
    if free < needed:
        raise InfrastructureError(
            f"the folder for temporary files has {free / 1e6:,.0f} MB left; a series of {needed / 1e6:,.0f} MB needs "
            "as much again: free some space, or set TMPDIR to another folder"
        )
