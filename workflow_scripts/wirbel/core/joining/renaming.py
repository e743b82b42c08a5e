"""A station's vertebra map with the names that all stations of its session agree on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wirbel.core.geometry import Volume
from wirbel.core.joining.naming import Joined
from wirbel.core.plausibility.scan_flags import DISAGREE, NOT_APPLIED
from wirbel.core.reviewing.shifting import ShiftError, shifted


def named_together(
    vertebra: Volume, levels: Mapping[str, Any], joined: Joined, *, reviewed: bool
) -> tuple[Volume, dict[str, Any]]:
    """Return the map, and what changes in the account of its names.

    Parameters
    ----------
    vertebra : Volume
        The station's own map; it comes back as it is where its names stay.
    levels : mapping
        The account of its names: `flags`, `confidence`, `method` and the like.
    joined : Joined
        What the stations decided.
    reviewed : bool
        A reader moved the names of this station.
    """
    told: dict[str, Any] = {"flags": [*levels["flags"], *joined.flags]}
    if joined.confidence is not None:
        told["confidence"] = joined.confidence
    if not joined.shift:
        return vertebra, told
    try:
        moved = vertebra.with_data(shifted(vertebra.data, joined.shift))
    except ShiftError:  # of a vertebra that shows no body
        return vertebra, {"flags": [*levels["flags"], DISAGREE]}
    method = "reader" if reviewed and NOT_APPLIED not in joined.flags else "stations"
    return moved, told | {"method": method, "agree": None, "alternative": None}
