"""One decision over the names of all stations of a session.

A station names its vertebrae by itself and says how sure it is, and which names come second. Stations that show the
same vertebra must agree on it, so the names of a row of joined stations are one choice: by how many levels all move.
The choice with the largest product of the stations' probabilities wins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from wirbel.core.joining.stations import Station, chains, follows, same_vertebrae
from wirbel.core.labels import LEVEL_LABELS
from wirbel.core.plausibility.scan_flags import DISAGREE, NOT_APPLIED
from wirbel.core.reviewing.shifting import ShiftError, moved_names, place_of

NO_READERS: Mapping[str, int] = MappingProxyType({})
FARTHEST_MOVE = 8
"""Levels by which names are moved at most: a station of the back alone is rarely off by more than three."""
SECOND_SHARE = 0.8
"""Of what a station leaves to other names than its own, the part of the second most probable ones."""
LEAST = 1e-6
VARIANTS = 0.05
"""Least probability of names one level off where only the sacrum is seen: one person in ten has a vertebra more or
less than 24 above it (Thawait et al., Radiol Clin North Am 2012;50:587-598)."""
SURE = 0.9
"""A station that was as sure of other names as this disagrees."""
APART = 1000
"""Two different vertebrae with one name get numbers that differ by this for each station."""


@dataclass(frozen=True)
class Joined:
    """What the session's stations say of one of them.

    `shift` is by how many levels its names move down, `confidence` the probability of the joint names: 1 where a reader
    moved them, None where the station was joined to no other. `flags` say what does not fit. `numbers` has a number for
    vertebrae that their label does not identify in the session: one with another name in another station, or with a
    name that is another vertebra's.
    """

    shift: int = 0
    confidence: float | None = None
    flags: tuple[str, ...] = ()
    numbers: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """What two neighbours say of each other: the vertebrae that both show, label to label, and by how many levels the
    names of the lower are too high.
    """

    same: Mapping[int, int]
    votes: Counter[int]


def joint_names(
    stations: Sequence[Station], readers: Mapping[str, int] = NO_READERS
) -> dict[str, Joined]:
    """Return name -> what the stations of a session decide together.

    Parameters
    ----------
    stations : sequence of Station
        All stations of a session that have results, in any order.
    readers : mapping of str to int
        Station -> by how many levels a reader moved the names that were decided. Stations that are joined to it
        follow. Default: none.
    """
    found: dict[str, Joined] = {}
    used: dict[int, str] = {}
    for joined in chains(sorted(stations, key=_height, reverse=True)):
        for row, links in _linked(joined):
            found |= _joint(row, links, used, readers)
    return found


def _linked(joined: list[Station]) -> list[tuple[list[Station], list[Link]]]:
    """Part stations where nothing says how the names of one follow from those of the other; return rows with their
    links.
    """
    rows: list[tuple[list[Station], list[Link]]] = [(joined[:1], [])]
    for upper, lower in zip(joined, joined[1:], strict=False):
        link = _link(upper, lower)
        if link.votes:
            rows[-1][0].append(lower)
            rows[-1][1].append(link)
        else:
            rows.append(([lower], []))
    return rows


def _link(upper: Station, lower: Station) -> Link:
    """Return what two stations say of each other, from what both show, or from what comes next."""
    same = same_vertebrae(upper, lower)
    votes = Counter(place_of(theirs) - place_of(own) for own, theirs in same.items())
    if not same and follows(upper, lower):
        votes[place_of(upper.labels[-1]) + 1 - place_of(lower.labels[0])] += 1
    return Link(same, votes)


def _height(station: Station) -> float:
    return max((float(place[2]) for place in station.centroids.values()), default=-np.inf)


def _joint(
    row: list[Station], links: list[Link], used: dict[int, str], readers: Mapping[str, int]
) -> dict[str, Joined]:
    """Return the decision on a row of joined stations; `used` has the numbers of vertebrae so far, and is extended."""
    offsets = _offsets(links)
    unanimous = all(len(link.votes) == 1 for link in links)
    moves, confidence = _best_moves(row, offsets)
    odd = not unanimous or any(
        move and station.confidence >= SURE for station, move in zip(row, moves, strict=True)
    )
    asked = next((readers[station.name] for station in row if readers.get(station.name)), 0)
    applied = asked if _can_move(row, moves, asked) else 0
    moves, confidence = [move + applied for move in moves], 1.0 if applied else confidence
    found: dict[str, Joined] = {}
    above: dict[int, int] = {}
    for place, (station, move) in enumerate(zip(row, moves, strict=True)):
        new = moved_names(station.labels, move)
        same = links[place - 1].same if place else {}
        above = {
            label: above[same[label]]
            if label in same
            else _number(new[label], station.name, used, place)
            for label in station.labels
        }
        numbers = {new[label]: number for label, number in above.items() if number != new[label]}
        flags: tuple[str, ...] = (DISAGREE,) if odd or numbers else ()
        flags += (NOT_APPLIED,) if readers.get(station.name, applied) != applied else ()
        found[station.name] = Joined(move, confidence, flags, numbers)
    return found


def _can_move(row: list[Station], moves: Sequence[int], more: int) -> bool:
    """Whether the names of all stations stay within the spine if they move by `more` levels more."""
    try:
        for station, move in zip(row, moves, strict=True):
            moved_names(station.labels, move + more)
    except ShiftError:
        return False
    return True


def _number(label: int, station: str, used: dict[int, str], place: int) -> int:
    """Return a number that no other vertebra of the session has."""
    while used.setdefault(label, station) != station:
        label += APART * (place + 1)
    return label


def _offsets(links: Sequence[Link]) -> list[int]:
    """Return by how many levels each station's names differ from the first one's."""
    offsets = [0]
    for link in links:
        offsets.append(offsets[-1] + link.votes.most_common(1)[0][0])
    return offsets


def _best_moves(row: list[Station], offsets: list[int]) -> tuple[list[int], float | None]:
    """Return by how many levels the names of each station move, and how probable that is."""
    choices = sorted(range(-FARTHEST_MOVE, FARTHEST_MOVE + 1), key=abs)
    logs = np.array(
        [
            sum(
                _log_probability(one, choice + offset)
                for one, offset in zip(row, offsets, strict=True)
            )
            for choice in choices
        ]
    )
    best = int(logs.argmax())
    if len(row) == 1 or logs[best] == -np.inf:
        return [0] * len(row), None
    share = float(np.exp(logs[best] - np.logaddexp.reduce(logs)))
    return [choices[best] + offset for offset in offsets], round(share, 3)


def _log_probability(station: Station, move: int) -> float:
    """Return how probable a station's own names make others that lie `move` levels further down."""
    if not station.centroids:
        return 0.0
    if not _can_move([station], [move], 0):
        return -np.inf
    sure = min(max(station.confidence, LEAST), 1 - LEAST)
    if move == 0:
        return float(np.log(sure))
    second = 0
    if station.alternative:
        first = station.labels[0]
        second = place_of(LEVEL_LABELS[station.alternative]) - place_of(first)
    if second:
        share = SECOND_SHARE if move == second else (1 - SECOND_SHARE) / (2 * FARTHEST_MOVE)
    else:
        share = 1 / (2 * FARTHEST_MOVE)
    variants = VARIANTS if station.method == "sacrum" and abs(move) == 1 else LEAST
    return float(np.log(max((1 - sure) * share, variants)))
