"""Figures that others have published, to stand beside our own."""

from __future__ import annotations

from dataclasses import dataclass, field

CITATION = "Möller et al., SPINEPS, Eur Radiol 2024, arXiv 2402.16368"


@dataclass(frozen=True)
class Published:
    """One column of a published table.

    Attributes
    ----------
    name : str
        The model.
    citation : str
        Where it says so.
    values : dict of (str, str) to float
        (structure, metric) -> mean; structures and metrics are named as in our tables.
    """

    name: str
    citation: str
    values: dict[tuple[str, str], float] = field(default_factory=dict)


INSTANCES = "vertebra (instances)"
PUBLISHED: dict[str, tuple[Published, ...]] = {
    "spider": (
        Published(
            "SPINEPS, published",
            CITATION,
            {(INSTANCES, "sq_dice"): 0.933, (INSTANCES, "sq_assd_mm"): 0.21},
        ),
        Published(
            "nnU-Net, published",
            CITATION,
            {(INSTANCES, "sq_dice"): 0.911, (INSTANCES, "sq_assd_mm"): 0.435},
        ),
    )
}
"""Test set -> what was published about it. SPIDER: going by its size, the 39 participants whom it calls
validation."""
