"""Where the spinal cord ends, and whether what is labelled as cord can be one."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import (
    CORD,
    DISC_OFFSET,
    LEVEL_LABELS,
    LEVEL_NAMES,
    LEVELS_TOP_DOWN,
    disc_name,
)
from wirbel.core.measures import status as S
from wirbel.core.measures.cord.centreline import Centreline
from wirbel.core.measures.cord.narrowest import BIN_MM, Profile
from wirbel.core.measures.coverage.contiguity import level_below
from wirbel.core.measures.frames import Region
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.spine import Spine

LOWEST_CONUS = LEVEL_LABELS["L3"]
"""The cord ends between the middle of T12 and the upper third of L3 (Saifuddin et al., Spine 1998;23:1452-1456)."""
LARGEST_CORD_MM2 = 130.0
"""Cords measure 50 to 100 mm2, the cervical enlargement the most (Frostell et al., Front Neurol 2016;7:238)."""
LEAST_CORD_MM2 = 12.0
"""Less is its tip or the filum."""
NEAR_BORDER_MM = 10.0
"""A cord that reaches the scan's border so near to its lower end goes on."""


def is_questioned(label: int, area_mm2: float | None) -> bool:
    """Whether a cord at a vertebra's level, of this area, may be no cord."""
    low = LEVELS_TOP_DOWN.index(label) >= LEVELS_TOP_DOWN.index(LOWEST_CONUS)
    return low or (area_mm2 is not None and area_mm2 > LARGEST_CORD_MM2)


def conus_columns(
    maps: LabelMaps,
    spine: Spine,
    line: Centreline | None,
    profile: Profile | None,
    levels: list[dict],
) -> dict:
    """Return the level at which the cord ends, and its status.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    spine : Spine
        Bodies and discs.
    line : Centreline or None
        The canal's centreline.
    profile : Profile or None
        Area of the cord along `line`.
    levels : list of dict
        Rows of levels, whose `cord_status` says where the cord is questioned.
    """
    cord = maps.structure(CORD)
    if cord is None:
        return {"conus_level": None, "conus_status": S.ABSENT}
    name = None
    if line is not None and profile is not None:
        end = _end_mm(cord, line, profile)
        name = None if end is None else _level_at(maps, spine, line, end)
    if name is None:
        return {"conus_level": None, "conus_status": S.NOT_IN_VIEW}
    questioned = any(row["cord_status"] == S.CORD_QUESTIONED for row in levels)
    return {"conus_level": name, "conus_status": S.CORD_QUESTIONED if questioned else S.OK}


def _end_mm(cord: Region, line: Centreline, profile: Profile) -> float | None:
    """Return where the cord ends on the line; None when it leaves the scan or the line before."""
    thick = np.flatnonzero(profile.area_mm2 >= LEAST_CORD_MM2)
    if not len(thick):
        return None
    end = profile.start_mm + thick[-1] * BIN_MM
    index = np.argwhere(cord.mask)
    at_border = index[cord.border_voxels(index)]
    leaves = (
        len(at_border)
        and line.positions(cord.grid.to_world(at_border)).max() > end - NEAR_BORDER_MM
    )
    return None if leaves or end > line.length - NEAR_BORDER_MM else end


def _level_at(maps: LabelMaps, spine: Spine, line: Centreline, at: float) -> str | None:
    """Return the vertebra or disc beside a position on the line; None beyond the last one."""
    best, name = 1.0, None
    for key, region in spine.regions.items():
        places = line.positions(region.points_mm[:: max(len(region.points_mm) // 500, 1)])
        low, high = np.percentile(places, (2, 98))
        away = abs(at - (low + high) / 2) / max((high - low) / 2, 1.0)
        if away < best + 0.5 and (name is None or away < best):
            best, name = away, _name(maps, key)
    return name


def _name(maps: LabelMaps, key: int) -> str:
    if key < DISC_OFFSET:
        return LEVEL_NAMES[key]
    return disc_name(key - DISC_OFFSET, level_below(key - DISC_OFFSET, set(maps.boxes)))
