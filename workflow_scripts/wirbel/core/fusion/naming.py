"""Name the fused vertebrae as the source does that agrees most with all; count on where it has none."""

from __future__ import annotations

from collections.abc import Sequence

from wirbel.core.labels import LEVEL_LABELS, LEVEL_ORDER, LEVELS_TOP_DOWN, SACRUM, T13

PRESACRAL = tuple(label for label in LEVELS_TOP_DOWN if label != SACRUM)
DOWN = tuple(label for label in PRESACRAL if label != T13)
UP = DOWN[::-1]


def names_of(
    order: Sequence[int],
    matched: dict[tuple[int, int], int],
    trust: Sequence[float],
    ranked: Sequence[int],
) -> tuple[int, ...]:
    """Return a label for each vertebra from the top down, 0 where there is no room for a name.

    The names are those of the source that agrees most with all. Vertebrae that this source does not have are named by
    counting on from those that it has.

    Parameters
    ----------
    order : sequence of int
        The vertebrae's common numbers, from the top down.
    matched : dict
        (source, its label) -> common number.
    trust : sequence of float
        In each source.
    ranked : sequence of int
        The sources, the most trusted first: of two that agree as much, the first one names.
    """
    place = {number: at for at, number in enumerate(order)}
    best: tuple[int, ...] = ()
    most = -1.0
    for source in ranked:
        known = {place[n]: v for (w, v), n in matched.items() if w == source and n in place}
        names = _continued(known, len(order))
        votes = sum(
            trust[w] for (w, v), n in matched.items() if n in place and names[place[n]] == v
        )
        if known and votes > most:
            best, most = names, votes
    return best


def _continued(known: dict[int, int], count: int) -> tuple[int, ...]:
    """Return labels for `count` vertebrae of which some are known by their place; 0 where there is no room for a name.

    Known names that do not go down the spine are left out.
    """
    names, taken = [0] * count, 0
    for at in sorted(known):
        if LEVEL_ORDER[known[at]] > taken:
            names[at], taken = known[at], LEVEL_ORDER[known[at]]
    for step, order in ((1, DOWN), (-1, UP)):
        for at in range(count)[::step]:
            before = names[at - step] if 0 <= at - step < count else 0
            if not names[at] and before:
                names[at] = _with_room(_next(before, order), names[:at], names[at + 1 :])
    return tuple(names)


def _with_room(name: int, above: Sequence[int], below: Sequence[int]) -> int:
    """Return a name if it lies between those above and below it, otherwise 0."""
    place = LEVEL_ORDER.get(name, 0)
    high = max((LEVEL_ORDER[one] for one in above if one), default=0)
    low = min((LEVEL_ORDER[one] for one in below if one), default=len(LEVEL_ORDER) + 1)
    return name if high < place < low else 0


def _next(label: int, order: Sequence[int]) -> int:
    """Return the label after another one; 0 after the last one, or after none. Counting on skips T13."""
    if label == T13:
        return LEVEL_LABELS["L1"] if order is DOWN else LEVEL_LABELS["T12"]
    at = order.index(label) + 1 if label in order else len(order)
    return order[at] if at < len(order) else 0


def trust_behind(
    order: Sequence[int],
    names: Sequence[int],
    matched: dict[tuple[int, int], int],
    trust: Sequence[float],
) -> tuple[float, ...]:
    """Return the share of the trust behind each name, among the sources that have the vertebra.

    Parameters
    ----------
    order : sequence of int
        The vertebrae's common numbers.
    names : sequence of int
        Their labels, in the same order.
    matched : dict
        (source, its label) -> common number.
    trust : sequence of float
        In each source.
    """
    shares = []
    for number, name in zip(order, names, strict=True):
        having = [(w, label) for (w, label), n in matched.items() if n == number]
        total = sum(trust[whose] for whose, _ in having)
        shares.append(sum(trust[w] for w, label in having if label == name) / total)
    return tuple(shares)
