"""What a fused annotation was made from: its key, and the entries of its sidecars."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wirbel.core.fusion.fuse import Fused
from wirbel.io.annotation.settings import AnnotateSettings, SourceSettings
from wirbel.io.atomic import sha256_of_file
from wirbel.io.dataset.scan_names import FoundScan
from wirbel.io.foreign.label_schemes import scheme_file
from wirbel.io.maps.sidecar_entries import raw_uri

NOT_IN_KEY = ("images", "output", "participants", "corrections", "sources")
"""Settings that do not decide a scan's result, or are in its key by the files that they lead to."""


def key_of(
    settings: AnnotateSettings,
    digests: dict[str, dict[str, str]],
    scan: FoundScan,
    correction: Path | None,
    code: str,
) -> str:
    """Return a hash of all that decides a scan's result.

    Parameters
    ----------
    settings : AnnotateSettings
        Of the annotation.
    digests : dict
        Source -> kind of file -> SHA-256 of its content.
    scan : FoundScan
        The scan, whose file is read.
    correction : Path or None
        A reader's corrected map.
    code : str
        Hash of the code.
    """
    decides = {name: value for name, value in asdict(settings).items() if name not in NOT_IN_KEY}
    decides["sources"] = [
        {"name": one.name, "trust": dict(one.trust), "align": one.align}
        | {"scheme": one.scheme, "scheme_content": sha256_of_file(scheme_file(one.scheme))}
        for one in settings.sources
        if one.name in digests
    ]
    decides |= {"digests": digests, "scan": sha256_of_file(scan.path), "code": code}
    decides["correction"] = None if correction is None else sha256_of_file(correction)
    text = json.dumps(decides, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def provenance_of(
    scan: FoundScan, settings: AnnotateSettings, fused: Fused, sources: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the entries of a scan's sidecars.

    Parameters
    ----------
    scan : FoundScan
        The scan.
    settings : AnnotateSettings
        Of the annotation.
    fused : Fused
        The result.
    sources : list of dict
        What `described` returns of each source.
    """
    return {
        "Sources": [raw_uri(scan.participant_id, scan.session_id, scan.path)],
        "FusedFrom": sources,
        "Method": settings.method,
        "MethodsByStructure": dict(settings.methods),
        "LeastAgreement": settings.least_agreement,
        "BrokenRulesVoxels": fused.broken,
        "Levels": fused.levels,
        "Agreement": fused.rows,
    }


def described(
    source: SourceSettings,
    files: Mapping[str, Path],
    digests: Mapping[str, str],
    alignment: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what sidecars say of one source.

    Parameters
    ----------
    source : SourceSettings
        The source.
    files, digests : mapping of str
        Kind of file -> path, and -> SHA-256.
    alignment : mapping
        How it was aligned; empty if it was not.
    """
    entry: dict[str, Any] = {
        "Name": source.name,
        "Scheme": source.scheme,
        "Trust": dict(source.trust),
        "Sha256": dict(digests),
        "Files": {kind: path.name for kind, path in files.items()},
    }
    return entry | ({"Alignment": dict(alignment)} if alignment else {})
