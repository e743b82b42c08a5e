"""What the sidecars of label maps say: sources, networks, how levels were named, how well the networks agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wirbel import __version__
from wirbel.core.agreement.figures import Agreement
from wirbel.core.levels.naming import Levels

UNKNOWN = "unknown"
TOY_WEIGHTS = "(toy weights)"
"""Appended to the name of networks that only serve to try the software."""
HEADER_CONFLICT_KEY = "HeaderConflict"
"""Sidecar entry: one sentence about each contradiction in the scan's header."""
AGREEMENT_KEY = "Agreement"
"""Entry of a vertebra map's sidecar, by label of the map: `wirbel.core.agreement.figures.Agreement`."""
AGREEMENT_DECIMALS = 4


def raw_uri(participant_id: str, session_id: str, path: str | Path, *, own: bool = False) -> str:
    """Return a scan's BIDS URI, as derivatives name their sources.

    Parameters
    ----------
    participant_id, session_id : str
        "sub-01"; "ses-a" or "".
    path : str or Path
        The scan. Of a file that does not lie where BIDS has it (a table of scans named it) the URI has
        the name only.
    own : bool
        The scan lies in the derivatives' data set itself, which converted it. Default: in the raw one.

    Returns
    -------
    str
        The URI.

    Examples
    --------
    >>> raw_uri("sub-01", "", "in/sub-01/anat/sub-01_T2w.nii.gz")
    'bids:raw:sub-01/anat/sub-01_T2w.nii.gz'
    >>> raw_uri("sub-01", "", "deliveries/a7.nii.gz")
    'bids:raw:a7.nii.gz'
    >>> raw_uri("sub-01", "", "out/sub-01/anat/sub-01_T2w.nii.gz", own=True)
    'bids::sub-01/anat/sub-01_T2w.nii.gz'
    """
    path = Path(path)
    folders = [part for part in (participant_id, session_id, "anat") if part]
    if path.parts[-len(folders) - 1 : -1] != tuple(folders):
        folders = []
    return ("bids::" if own else "bids:raw:") + "/".join([*folders, path.name])


def made_by(sidecar: Mapping[str, Any]) -> dict[str, str]:
    """Return the networks and version from a map's sidecar, as columns of the table of scans."""
    models = sidecar.get("Models") or {}
    names = {kind: str(part.get("Name")) for kind, part in models.items()}
    one = len(set(names.values())) == 1
    told = next(iter(names.values())) if one else ", ".join(f"{k}: {n}" for k, n in names.items())
    toy = any(part.get("ToyWeights") for part in models.values())
    versions = [part.get("Version") for part in sidecar.get("GeneratedBy") or ()]
    return {
        "model": (told or UNKNOWN) + (f" {TOY_WEIGHTS}" if toy else ""),
        "wirbel_version": str(next(filter(None, versions), UNKNOWN)),
    }


def levels_entry(levels: Levels) -> dict:
    """Return the sidecar entry about how the levels were named."""
    return {
        "confidence": levels.confidence,
        "method": levels.method,
        "agree": levels.agree,
        "flags": list(levels.flags),
        "alternative": levels.alternative,
        "set_aside": levels.set_aside,
    }


def agreement_entry(agreement: Agreement) -> dict[str, dict[str, float]]:
    """Return the sidecar entry about how well the networks agree; `agreement_from` reverses it."""
    return {
        kind: {str(n): round(value, AGREEMENT_DECIMALS) for n, value in sorted(values.items())}
        for kind, values in vars(agreement).items()
    }


def agreement_from(entry: Mapping[str, Mapping[str, Any]]) -> Agreement:
    """Reverse `agreement_entry`; {} stands for maps that came without."""
    by_label = {kind: {int(n): v for n, v in values.items()} for kind, values in entry.items()}
    return Agreement(**by_label)


def map_sidecar(description: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a label map's sidecar; `more` may say that the map is `Manual`."""
    generator = {"Name": "wirbel", "Version": __version__}
    content = {"Description": description, "GeneratedBy": [generator], **more}
    content |= {"Manual": more.get("Manual", False)}
    if more.get("Sources"):  # the map lies on the scan's own grid
        content |= {"SpatialReference": more["Sources"][0]}
    return content
