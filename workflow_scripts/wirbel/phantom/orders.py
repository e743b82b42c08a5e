"""Which scans to simulate, and of whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

ANY_REGION = "any"
AGES_YEARS = (20, 75)
"""Of simulated participants, as in the German National Cohort (20 to 74)."""


@dataclass(frozen=True)
class Order:
    """One scan to make; `code` is the hash of the code that makes it."""

    participant_id: str
    seed: int
    region: str
    broken: bool
    code: str
    stations: bool = False
    ct: bool = False

    @property
    def scan_id(self) -> str:
        """The scan's name, which is the participant's: one scan each."""
        return self.participant_id


def orders(
    count: int,
    seed: int,
    regions: list[str],
    broken: int,
    code: str,
    prefix: str = "sim",
    *,
    stations: bool = False,
    ct: bool = False,
) -> list[Order]:
    """Return `count` scans with the regions in turn, the last `broken` of them to be cut short."""
    return [
        Order(
            f"sub-{prefix}{i + 1:04d}",
            seed + i,
            regions[i % len(regions)],
            i >= count - broken,
            code,
            stations,
            ct,
        )
        for i in range(count)
    ]


def age_and_sex(seed: int) -> dict[str, Any]:
    """Return a participant's age (years) and sex; the simulated anatomy depends on neither."""
    random = np.random.default_rng([seed, *AGES_YEARS])
    return {"age": int(random.integers(*AGES_YEARS)), "sex": str(random.choice(["F", "M"]))}
