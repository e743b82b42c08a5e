"""What a voxel of a training case may be: one class of the network, one of several, or any.

Every voxel has a number. The first numbers are the network's classes. Each further number stands for a set of
classes, because a label scheme covers several structures by one label (a union). The set of all classes says that
nothing is known about a voxel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from wirbel.core.label_schemes import BACKGROUND, Labels, LabelScheme
from wirbel.core.labels import LEFT_RIGHT_PAIRS
from wirbel.learning.semantic.semantic_plans import SEMANTIC_LABELS, class_of_label

CLASSES = len(SEMANTIC_LABELS) + 1
"""Background and structures."""
Classes = frozenset[int]


@dataclass(frozen=True)
class Targets:
    """The numbers in the targets of a training.

    Attributes
    ----------
    unions : tuple of frozenset of int
        Classes that the numbers from `CLASSES` on stand for.
    """

    unions: tuple[Classes, ...] = ()

    def number_of(self, classes: Classes) -> int:
        """Return the number that stands for a set of classes."""
        if len(classes) == 1:
            return next(iter(classes))
        return CLASSES + self.unions.index(classes)

    def table(self) -> np.ndarray:
        """Return which classes each number allows: bool, shape (numbers, classes)."""
        sets = [frozenset({number}) for number in range(CLASSES)] + list(self.unions)
        return np.array([[index in allowed for index in range(CLASSES)] for allowed in sets])

    def mirrored(self) -> list[tuple[int, int]]:
        """Return the pairs of numbers to exchange where left and right are exchanged."""
        classes = class_of_label()
        pairs = [(classes[left], classes[right]) for left, right in LEFT_RIGHT_PAIRS]
        for union in self.unions:
            other = _mirrored(union)
            if sorted(other) > sorted(union):
                pairs.append((self.number_of(union), self.number_of(other)))
        return pairs

    def as_lists(self) -> list[list[int]]:
        """Return the unions as JSON can hold them."""
        return [sorted(union) for union in self.unions]


def targets_from_lists(unions: Iterable[Iterable[int]]) -> Targets:
    """Return what `Targets.as_lists` stored."""
    return Targets(tuple(frozenset(union) for union in unions))


def targets_of(schemes: Iterable[LabelScheme]) -> Targets:
    """Return the targets that these label schemes need; their order does not matter."""
    unions = {classes_of(labels) for scheme in schemes for labels in scheme.sets}
    unions |= {_mirrored(union) for union in unions}
    return Targets(tuple(sorted((u for u in unions if len(u) > 1), key=sorted)))


def classes_of(labels: Labels) -> Classes:
    """Return the network's classes of a set of labels.

    Examples
    --------
    >>> sorted(classes_of(frozenset({0, 26, 49, 50})))
    [0, 1, 10]
    """
    classes = class_of_label() | {BACKGROUND: 0}
    return frozenset(classes[label] for label in labels)


def as_targets(
    numbers: np.ndarray, scheme: LabelScheme, targets: Targets, source: str = ""
) -> np.ndarray:
    """Return the target of every voxel of a label map (uint8); see `LabelScheme.read`.

    Parameters
    ----------
    numbers : numpy.ndarray
        Label map, any shape.
    scheme : LabelScheme
        What its numbers mean.
    targets : Targets
        What a voxel may be.
    source : str, optional
        Named in errors.

    Returns
    -------
    numpy.ndarray
        uint8, the shape of `numbers`.
    """
    table = [targets.number_of(classes_of(labels)) for labels in scheme.sets]
    return np.array(table, np.uint8)[scheme.read(numbers, source)]


def _mirrored(union: Classes) -> Classes:
    classes = class_of_label()
    other = {classes[left]: classes[right] for left, right in LEFT_RIGHT_PAIRS}
    other |= {right: left for left, right in other.items()}
    return frozenset(other.get(index, index) for index in union)
