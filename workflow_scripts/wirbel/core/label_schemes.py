"""What other people's label maps say in terms of Wirbel's structures.

A number of theirs stands for a set of our subregion labels: for one, for several (a whole vertebra), for
everything but what they label elsewhere (their background), or for all of them (ignore: nothing is known). Training,
evaluation and everything else that reads foreign maps work with these sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from wirbel.core.labels import SUBREGION_NAMES

BACKGROUND = 0
Labels = frozenset[int]

ANYTHING: Labels = frozenset({BACKGROUND, *SUBREGION_NAMES})
"""The set of a voxel about which nothing is known."""
SHOWN_NUMBERS = 8
"""How many unknown numbers an error lists."""


class UnknownLabelError(ValueError):
    """A label map has a number that its scheme does not explain."""


@dataclass(frozen=True)
class LabelScheme:
    """How one source numbers its label maps.

    Attributes
    ----------
    name : str
        For messages.
    numbers : dict of int to str
        Their number -> name of a structure of theirs; 0 is what they leave unlabelled.
    structures : dict of str to frozenset of int
        Name of a structure of theirs -> our subregion labels that it covers; 0 in it stands for background.
    vertebrae : dict of int to int
        Their number -> our label in the vertebra map, for numbers that stand for one vertebra, or one disc
        (100 + the vertebra above).
    """

    name: str
    numbers: Mapping[int, str]
    structures: Mapping[str, Labels]
    vertebrae: Mapping[int, int] = field(default_factory=dict)

    @property
    def sets(self) -> tuple[Labels, ...]:
        """The sets of our labels that this scheme tells apart, in the order of its structures."""
        return tuple(dict.fromkeys(self.structures.values()))

    @property
    def compared(self) -> dict[str, Labels]:
        """The structures that can be compared with a segmentation: neither background nor ignore."""
        return {name: s for name, s in self.structures.items() if BACKGROUND not in s}

    def read(self, numbers: np.ndarray, source: str = "") -> np.ndarray:
        """Return which of `sets` every voxel of a label map belongs to.

        Parameters
        ----------
        numbers : ndarray
            A label map in this scheme, of any shape and type.
        source : str
            The map's name, for messages.

        Returns
        -------
        ndarray of uint8
            Positions in `sets`, of the same shape.

        Raises
        ------
        UnknownLabelError
            If the map has a number that the scheme does not list.
        """
        found, where = np.unique(numbers, return_inverse=True)
        unknown = [number.item() for number in found if number.item() not in self.numbers]
        if unknown:
            raise UnknownLabelError(f"{source}: {self._unknown(unknown)}".removeprefix(": "))
        position = {labels: place for place, labels in enumerate(self.sets)}
        table = [position[self.structures[self.numbers[int(number)]]] for number in found]
        return np.array(table, np.uint8)[where].reshape(numbers.shape)

    def vertebra_map(self, numbers: np.ndarray) -> np.ndarray:
        """Return our vertebra map (uint8) of a label map; 0 where no single vertebra or disc is labelled."""
        found, where = np.unique(numbers, return_inverse=True)
        table = [self.vertebrae.get(number.item(), 0) for number in found]
        return np.array(table, np.uint8)[where].reshape(numbers.shape)

    def _unknown(self, numbers: list[float]) -> str:
        more = "" if len(numbers) <= SHOWN_NUMBERS else f" and {len(numbers) - SHOWN_NUMBERS} more"
        listed = ", ".join(map(str, numbers[:SHOWN_NUMBERS])) + more
        return (
            f"label scheme {self.name}: expected only numbers that it lists, found {listed}; choose the scheme "
            "of these maps, or add the numbers to a copy of it"
        )


def is_inside(labels: Labels, structure: Labels) -> bool:
    """Return whether a voxel with this set of labels certainly belongs to `structure`."""
    return labels <= structure


def is_undecided(labels: Labels, structure: Labels) -> bool:
    """Return whether a voxel with this set of labels may or may not belong to `structure`.

    Examples
    --------
    >>> is_undecided(ANYTHING, frozenset({49}))
    True
    """
    return bool(labels & structure) and not labels <= structure
