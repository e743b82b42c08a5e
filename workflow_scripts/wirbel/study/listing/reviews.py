"""Readers' files, as the setting `reviews` names them: read and checked before the first job."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from wirbel.core.reviewing.reviews import Review, agreement, combined
from wirbel.io.escapes import visible
from wirbel.io.foreign.review_files import read_reviews
from wirbel.study.refused import Refused
from wirbel.words import counted


@dataclass(frozen=True)
class Reviews:
    """What readers say about the scans that there are, sentences on their agreement, and what to say at the start."""

    reviews: dict[str, Review] = field(default_factory=dict)
    agreement: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, dict]:
        """Return scan -> review in JSON types."""
        return {scan: review.as_json() for scan, review in self.reviews.items()}

    @property
    def shifts(self) -> dict[str, int]:
        """Scan -> by how many levels its names are moved, where they are."""
        return {scan: review.shift for scan, review in self.reviews.items() if review.shift}


def check_reviews(paths: Sequence[str], scans: Collection[str]) -> Reviews:
    """Read the files; raises Refused where one cannot be read or has a wrong line."""
    if not paths:
        return Reviews()
    try:
        readers = [read_reviews(path) for path in paths]
    except ValueError as error:
        raise Refused(f"reviews: {error}") from None
    except OSError as error:
        raise Refused(f"reviews: {error.filename} cannot be read: {error.strerror}") from None
    found = combined(readers)
    here = {scan: review for scan, review in found.items() if scan in scans}
    told = agreement([Path(path).name for path in paths], readers)
    absent = sorted(found.keys() - here.keys())
    remarks = [*told]
    if absent:
        remarks.append(
            f"reviews: {counted(len(absent), 'scan is', 'scans are')} not here, such as {visible(absent[0])}"
        )
    return Reviews(here, told, remarks)
