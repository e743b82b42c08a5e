"""How simulated and real cases are mixed: which are seen how often, and what their targets mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from wirbel.learning.training.targets import Targets, targets_from_lists


@dataclass(frozen=True)
class RealCases:
    """The cases of one set of real scans."""

    share: float
    """Fraction of the training patches."""
    training: tuple[str, ...]
    validation: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mixture:
    """What real scans add to the simulated ones."""

    targets: Targets = Targets()
    real: tuple[RealCases, ...] = ()

    def training(self) -> list[str]:
        """Return the real cases to train with."""
        return [name for cases in self.real for name in cases.training]

    def validation(self) -> list[str]:
        """Return the real cases kept out of the training."""
        return [name for cases in self.real for name in cases.validation]

    def names(self) -> list[str]:
        """Return all real cases."""
        return sorted([*self.training(), *self.validation()])

    def stored(self, simulated: Sequence[str]) -> dict[str, Any]:
        """Return what `mixture.json` holds: unions, and the share of each group of training cases."""
        rest = 1 - sum(cases.share for cases in self.real)
        groups = [(rest, list(simulated))] if simulated else []
        groups += [(cases.share, list(cases.training)) for cases in self.real]
        total = sum(share for share, _ in groups) or 1.0
        return {
            "unions": self.targets.as_lists(),
            "groups": [{"share": share / total, "cases": cases} for share, cases in groups],
        }


def stored_targets(stored: dict[str, Any]) -> Targets:
    """Return the targets that `mixture.json` describes."""
    return targets_from_lists(stored["unions"])


def probabilities(stored: dict[str, Any], names: Sequence[str]) -> list[float] | None:
    """Return how often each of `names` is to be seen; None if they are all of one group.

    Cases of one group are seen equally often. The shares of groups without any of these names go to the others.

    Examples
    --------
    >>> groups = [{"share": 0.75, "cases": ["p1", "p2", "p3"]}, {"share": 0.25, "cases": ["r1"]}]
    >>> probabilities({"groups": groups}, ["p1", "p2", "r1"])
    [0.375, 0.375, 0.25]
    """
    present = [
        (group["share"], [name for name in names if name in set(group["cases"])])
        for group in stored["groups"]
    ]
    present = [(share, cases) for share, cases in present if cases]
    if len(present) < 2:
        return None
    total = sum(share for share, _ in present)
    each = {name: share / total / len(cases) for share, cases in present for name in cases}
    return [each[name] for name in names]
