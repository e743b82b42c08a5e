"""The stations of a scan that are NIfTI files already, told apart by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from wirbel.core.preparation.image_checks import checked_intensities
from wirbel.core.preparation.intake import check_geometry
from wirbel.errors import CONTENT_MISSING, NO_SCAN, ScanError
from wirbel.ingest.delivery import Converted
from wirbel.ingest.headers.facts import facts_of_sidecar
from wirbel.ingest.stations import SEVERAL, Session, session_of
from wirbel.io.dataset.presence import absence
from wirbel.io.dataset.sidecar_facts import made_of_others, read_sidecar, sidecar_path
from wirbel.io.nifti.volumes import read_volume
from wirbel.plan.series_rules import SeriesRules


def read_session(paths: Sequence[Path], rules: Mapping[str, SeriesRules]) -> Session:
    """Return each station's volume.

    Parameters
    ----------
    paths : sequence of Path
        The files of a session.
    rules : mapping of str to SeriesRules
        Name of a station -> `name`, a regular expression that its file's name contains; where several files fit,
        that is a fault ("several_series").
    """

    def read(rule: SeriesRules) -> Converted:
        return _read([path for path in paths if re.search(rule.name, path.name, re.I)], rule)

    return session_of(read, rules, software="")


def _read(fitting: list[Path], rule: SeriesRules) -> Converted:
    if len(fitting) > 1:
        told = ", ".join(path.name for path in fitting)
        raise ScanError(
            SEVERAL,
            f"{len(fitting)} files fit {rule.name!r} ({told}): make the rule narrower",
        )
    if not fitting:
        raise ScanError(NO_SCAN, f"no file's name contains {rule.name!r}: correct the rule")
    path = fitting[0]
    if told := absence(path):
        raise ScanError(CONTENT_MISSING, told)
    volume = read_volume(path)
    check_geometry(volume, path.name)
    checked_intensities(volume.data, path.name)
    facts = facts_of_sidecar(read_sidecar(sidecar_path(str(path))))
    return Converted(volume, facts, [], bool(made_of_others(facts.get("ImageType", ()))))
