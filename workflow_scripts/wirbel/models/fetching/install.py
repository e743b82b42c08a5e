"""Install a network into the models folder: download, verify, unpack, record."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from wirbel.io.atomic import sha256_of_file
from wirbel.models.digests import hash_files
from wirbel.models.entries import Published
from wirbel.models.errors import ModelError
from wirbel.models.fetching.archive import unpack
from wirbel.models.fetching.fetch import PATIENCE, Patience, Report, download
from wirbel.models.fetching.partial_download import PartialDownload
from wirbel.models.folders.check import read_kind
from wirbel.models.folders.inference_config import FILE_NAME
from wirbel.models.lockfile import FILE_NAME as LOCK_NAME
from wirbel.models.lockfile import Locked, locked, record

UNPACKING = ".unpacking-"


def fetch(
    models_dir: Path,
    network: Published,
    report: Report,
    patience: Patience = PATIENCE,
    allow_loopback: bool = False,
) -> Locked:
    """Download, verify, unpack and record a network; the caller holds the lock of the models folder.

    Parameters
    ----------
    models_dir : Path
        The models folder.
    network : Published
        What to fetch.
    report : Report
        Receives messages and progress.
    patience, allow_loopback
        As for `download`.

    Returns
    -------
    Locked
        The new entry of the lock file.

    Raises
    ------
    ModelError
        One sentence. Nothing is left behind except a partial download.
    """
    archive = models_dir / f"{network.name}-{network.kind}.zip.partial"
    try:
        _remove_leftovers(models_dir)
        url = download(network.urls, archive, network.size, report, patience, allow_loopback)
        return _keep(models_dir, network, archive, url)
    except OSError as error:
        raise ModelError(f"cannot write to {models_dir}: {error.strerror or error}") from None


def _keep(models_dir: Path, network: Published, archive: Path, url: str) -> Locked:
    """Verify, unpack and record a downloaded archive, then remove it in any case."""
    try:
        digest = _verified_digest(models_dir, network, archive)
        folder = models_dir / f"{network.name}-{network.kind}-{digest[:16]}"
        model, files = _install(archive, folder, network.kind)
        today = datetime.now(UTC).date().isoformat()
        size = archive.stat().st_size
        entry = Locked(url, digest, size, today, str(model.relative_to(models_dir)), files)
        record(models_dir, network, entry)
    except ModelError as error:
        raise ModelError(f"{url}: {error}") from None
    finally:
        PartialDownload(archive).forget()
    return entry


def _verified_digest(models_dir: Path, network: Published, archive: Path) -> str:
    """Return the archive's SHA-256; raise ModelError if another one was expected."""
    known = locked(models_dir, network)
    expected = network.sha256 or (known and known.sha256)
    digest = sha256_of_file(archive)
    if expected and digest != expected:
        source = "config/models.yaml" if network.sha256 else models_dir / LOCK_NAME
        raise ModelError(
            f"the file is not the expected one (its SHA-256 is {digest}, {source} says {expected}); it was deleted"
        )
    return digest


def _install(archive: Path, folder: Path, kind: str) -> tuple[Path, dict[str, str]]:
    """Unpack into `folder`, all or nothing; return the model's folder and its files' digests."""
    staging = folder.parent / f"{UNPACKING}{os.getpid()}-{folder.name}"
    try:
        unpack(archive, staging)
        inside = _model_folder(staging, kind)
        files = hash_files(staging / inside)
        if not folder.is_dir() or hash_files(folder / inside) != files:
            shutil.rmtree(folder, ignore_errors=True)
            staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder / inside, files


def _model_folder(unpacked: Path, kind: str) -> Path:
    """Return the relative path of the model in an archive: the top, or its only folder."""
    inside = [path for path in unpacked.iterdir() if path.is_dir()]
    for folder in [unpacked, *(inside if len(inside) == 1 else [])]:
        if (folder / FILE_NAME).is_file():
            try:
                read_kind(folder, kind)
            except ModelError as error:
                text = str(error).replace(f"{unpacked}{os.sep}", "")
                raise ModelError(f"the archive's model cannot be used: {text}") from None
            return folder.relative_to(unpacked)
    names = ", ".join(sorted(path.name for path in unpacked.iterdir())[:8])
    raise ModelError(
        f"the archive contains no model: expected {FILE_NAME}, found {names or 'nothing'}"
    )


def _remove_leftovers(models_dir: Path) -> None:
    for folder in models_dir.glob(f"{UNPACKING}*"):
        shutil.rmtree(folder, ignore_errors=True)
