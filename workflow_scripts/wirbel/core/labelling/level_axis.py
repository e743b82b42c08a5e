"""The classes by which labelling networks name levels, from the top of the spine down, and their
order.

As in the published networks (VERIDAH, Möller et al. 2026, arXiv:2601.14066).
"""

from __future__ import annotations

from dataclasses import dataclass

_CERVICAL = [f"C{n}" for n in range(1, 8)]
_THORACIC = [f"T{n}" for n in range(1, 13)]
_LUMBAR = [f"L{n}" for n in range(1, 6)]
GROUPS = (
    ("C1", "C2"),
    ("C3", "C4", "C5"),
    ("C6", "C7"),
    ("T1", "T2"),
    ("T3", "T4"),
    ("T5", "T6", "T7"),
    ("T8", "T9"),
    ("T10", "T11"),
    ("T12",),
    ("L1", "L2"),
    ("L3", "L4"),
    ("L5",),
)
"""Classes of the head VERTGRP."""


@dataclass(frozen=True)
class Axis:
    """The classes that a sequence consists of.

    Attributes
    ----------
    names : tuple of str
        Classes from the top down.
    starts : tuple of int
        Index of the first class of each region.
    next : tuple of tuples of int
        For each class, the classes that the vertebra below may have, the usual one first.
    """

    names: tuple[str, ...]
    starts: tuple[int, int, int]
    next: tuple[tuple[int, ...], ...]

    @property
    def regions(self) -> list[slice]:
        """Return the classes of the cervical, thoracic and lumbar region."""
        return [
            slice(a, b)
            for a, b in zip(self.starts, (*self.starts[1:], len(self.names)), strict=True)
        ]

    def region_of(self, index: int) -> int:
        """Return 0 for a cervical, 1 for a thoracic, 2 for a lumbar class."""
        return sum(index >= start for start in self.starts) - 1


def _axis(names: list[str], others: dict[str, tuple[str, ...]]) -> Axis:
    """Return the axis on which every level is followed by the next one, or by those in `others`."""
    follow = [(i + 1,) if i + 1 < len(names) else () for i in range(len(names))]
    for name, followers in others.items():
        at = names.index(name)
        follow[at] = (*follow[at], *(names.index(follower) for follower in followers))
    return Axis(tuple(names), (0, names.index("T1"), names.index("L1")), tuple(follow))


REPEATING = _axis(_CERVICAL + _THORACIC + _LUMBAR, {"T11": ("L1",), "T12": ("T12",), "L5": ("L5",)})
"""With eleven thoracic vertebrae, T12 is left out; with thirteen, T12 occurs twice; with six lumbar
ones, L5 occurs twice.
"""
EXPLICIT = _axis([*_CERVICAL, *_THORACIC, "T13", *_LUMBAR, "L6"], {"T11": ("L1",), "T12": ("L1",)})
"""T13 and L6 have their own classes; T13, or T12 and T13, may be left out."""


def group_of(axis: Axis) -> list[int]:
    """Return the group of every class."""
    return [next(i for i, group in enumerate(GROUPS) if name in group) for name in axis.names]
