"""Readers' decisions about scans: one review for each scan, and how far two readers agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations

from wirbel.words import counted

ACCEPT, REJECT, RELABEL, COMMENT = "accept", "reject", "relabel", "comment"
DECISIONS = (ACCEPT, REJECT, RELABEL, COMMENT)
NOT_REVIEWED, DISPUTED = "not_reviewed", "disputed"
OUTCOMES: dict[str, str] = {
    NOT_REVIEWED: "no reader has decided about the scan",
    "accepted": "a reader accepted the scan",
    "rejected": "a reader rejected the scan: its rows are kept, leave them out of analyses",
    "relabelled": "a reader moved all level names; the rows and the map desc-reviewed have the new names",
    "commented": "a reader left a comment and no decision",
    DISPUTED: "readers decided differently; level names stay as the software gave them",
}
"""Value of the column `review` -> what it means."""
_OUTCOME = {ACCEPT: "accepted", REJECT: "rejected", RELABEL: "relabelled", COMMENT: "commented"}


@dataclass(frozen=True)
class Decision:
    """One reader's decision: `shift` is by how many levels all names move down the spine, 0 unless relabelled."""

    decision: str
    shift: int = 0
    comment: str = ""
    reader: str = ""


@dataclass(frozen=True)
class Review:
    """What all readers together say about a scan: an `OUTCOMES` key, the shift to apply, comments, readers."""

    review: str
    shift: int = 0
    comment: str = ""
    reader: str = ""

    def as_json(self) -> dict:
        """Return the fields in JSON types."""
        return asdict(self)


def combined(readers: Sequence[Mapping[str, Decision]]) -> dict[str, Review]:
    """Return scan -> review, from each reader's decisions by scan. Comments decide nothing."""
    scans = sorted(set().union(*readers)) if readers else []
    return {scan: _review([one[scan] for one in readers if scan in one]) for scan in scans}


def _review(told: Sequence[Decision]) -> Review:
    decided = {(one.decision, one.shift) for one in told if one.decision != COMMENT}
    comment = "; ".join(dict.fromkeys(one.comment for one in told if one.comment))
    reader = ", ".join(dict.fromkeys(one.reader for one in told if one.reader))
    if len(decided) > 1:
        return Review(DISPUTED, 0, comment, reader)
    decision, shift = decided.pop() if decided else (COMMENT, 0)
    return Review(_OUTCOME[decision], shift, comment, reader)


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return Cohen's kappa of two readers' decisions on the same scans; None where chance alone explains all.

    (p_o - p_e) / (1 - p_e), where p_o is the share of equal decisions and p_e that expected from how often each reader
    decides what (Cohen, Educ Psychol Meas 1960;20:37-46).

    Examples
    --------
    >>> cohen_kappa([("accept", "accept")] * 2 + [("reject", "reject")] * 2)
    1.0
    """
    if not pairs:
        return None
    n = len(pairs)
    equal = sum(one == other for one, other in pairs) / n
    kinds = {decision for pair in pairs for decision in pair}
    shares = ([sum(pair[i] == kind for pair in pairs) / n for kind in kinds] for i in (0, 1))
    by_chance = sum(one * other for one, other in zip(*shares, strict=True))
    return (equal - by_chance) / (1 - by_chance) if by_chance < 1 else None


def agreement(names: Sequence[str], readers: Sequence[Mapping[str, Decision]]) -> list[str]:
    """Return a sentence on each pair of readers: scans that both decided about, equal decisions, Cohen's kappa."""
    told = []
    for (a, first), (b, second) in combinations(zip(names, readers, strict=True), 2):
        both = [
            s
            for s in first
            if s in second and COMMENT not in (first[s].decision, second[s].decision)
        ]
        pairs = [(_kind(first[s]), _kind(second[s])) for s in both]
        kappa, equal = cohen_kappa(pairs), sum(one == other for one, other in pairs)
        value = "not defined" if kappa is None else f"{kappa:.2f}"
        told.append(
            f"{a} and {b}: {counted(len(pairs), 'scan')} decided by both, {equal} equally; Cohen's kappa {value}"
        )
    return told


def _kind(decision: Decision) -> str:
    return f"{decision.decision}{decision.shift:+d}" if decision.shift else decision.decision
