"""Read what `annotate` combines: a scan's label maps from all sources, aligned where that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wirbel.core.fusion.alignment import align
from wirbel.core.fusion.statements import Source
from wirbel.core.geometry import Volume
from wirbel.errors import ScanError
from wirbel.io.annotation.settings import AnnotateSettings, SourceSettings
from wirbel.io.atomic import sha256_of_file
from wirbel.io.foreign.label_schemes import read_scheme
from wirbel.io.references.label_files import label_file
from wirbel.io.references.metaimage import read_any


def files_of(settings: AnnotateSettings, scan_id: str) -> dict[str, dict[str, Path]]:
    """Return source -> its files of a scan: `labels`, and perhaps `vertebrae` and `image`.

    Raises
    ------
    ScanError
        "bad_annotation" if no source has a map of the scan, or one has several.
    """
    found: dict[str, dict[str, Path]] = {}
    for source in settings.sources:
        labels = label_file(Path(source.labels), scan_id, source.ending)
        if labels is None:
            continue
        found[source.name] = {"labels": labels}
        for kind, folder, ending in (
            ("vertebrae", source.vertebrae, source.vertebrae_ending),
            ("image", source.images if source.align else "", ""),
        ):
            path = label_file(Path(folder), scan_id, ending) if folder else None
            if path is not None:
                found[source.name][kind] = path
        if source.align and "image" not in found[source.name]:
            raise ScanError(
                "bad_annotation",
                f"{scan_id}: expected an image in {source.images} to align {source.name} by, found none",
            )
    if not found:
        names = ", ".join(source.labels for source in settings.sources)
        raise ScanError(
            "bad_annotation", f"expected a label map {scan_id}_*.nii.gz in {names}, found none"
        )
    return found


def digests_of(files: dict[str, dict[str, Path]]) -> dict[str, dict[str, str]]:
    """Return source -> kind of file -> SHA-256 of its content."""
    return {
        name: {kind: sha256_of_file(path) for kind, path in paths.items()}
        for name, paths in files.items()
    }


def read_source(
    settings: SourceSettings, files: dict[str, Path], scan: Volume
) -> tuple[Source, dict[str, Any]]:
    """Return a source of a scan, and what its sidecar tells about the alignment ({} without one)."""
    labels = read_any(files["labels"])
    vertebrae = read_any(files["vertebrae"]) if "vertebrae" in files else None
    told: dict[str, Any] = {}
    if settings.align:
        found = align(scan, read_any(files["image"]))
        labels = found.moved(labels)
        vertebrae = None if vertebrae is None else found.moved(vertebrae)
        told = {"Motion": found.motion.round(6).tolist(), "MutualInformation": found.similarity}
    scheme = read_scheme(settings.scheme)
    return Source(settings.name, labels, scheme, settings.trust_by_label, vertebrae), told
