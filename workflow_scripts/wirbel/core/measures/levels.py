"""One row per level: canal and cord; keys are declared in `wirbel.core.dictionary.levels`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from wirbel.core.labels import CANAL, CORD, DISC_OFFSET
from wirbel.core.measures import status as S
from wirbel.core.measures.cord.centreline import Centreline
from wirbel.core.measures.cord.conus import is_questioned
from wirbel.core.measures.cord.narrowest import Profile
from wirbel.core.measures.cord.section_columns import COMPARED, SECTIONS
from wirbel.core.measures.cord.sections import Section, cut_section
from wirbel.core.measures.cord.shares import share_rows
from wirbel.core.measures.coverage.border import is_cut
from wirbel.core.measures.coverage.contiguity import Contiguity
from wirbel.core.measures.curvature.curves import CANAL_FORM, CORD_FORM
from wirbel.core.measures.curvature.landmarks import CANAL_AP, Landmark
from wirbel.core.measures.frames import Frame, Region, make_frame
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.spine import Spine

STRUCTURES = {"canal": ((CANAL, CORD), CANAL_FORM), "cord": ((CORD,), CORD_FORM)}
"""Structure -> (its subregions, the usual form of its section). The canal's section holds the cord."""
PLACES = {"body": 0, "disc": DISC_OFFSET}
"""Place of a section -> what is added to a vertebra's label for the structure in front of it."""
GIVEN = (S.OK, S.FORM_ASSUMED)
"""Status of a section that is there and believed; voxels are counted for the narrowest place, whatever their form."""


def level_rows(
    maps: LabelMaps,
    spine: Spine,
    line: Centreline | None,
    order: Contiguity,
    profile: Profile | None,
    marks: list[Landmark] | None = None,
    partly_seen: Collection[int] = (),
) -> list[dict]:
    """Measure canal and cord behind the middle of every body and of the disc below it, and in between.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    spine : Spine
        Bodies and discs.
    line : Centreline or None
        The canal's centreline.
    order : Contiguity
        Which vertebrae follow each other.
    profile : Profile or None
        Area and AP diameter of the canal along `line`.
    marks : list of Landmark, optional
        The canal's measured diameters are added to it.
    partly_seen : collection of int
        Keys of bodies and discs whose centroid lies to one side; their neighbours tell where the front is.
    """
    marks = [] if marks is None else marks
    rows = share_rows(maps, spine, order)
    for row in rows:
        for place, offset in PLACES.items():
            key = row["label"] + offset
            beside = spine.regions.get(key)
            ahead = spine.beside_mm(key) if beside and key in partly_seen else None
            frame = _frame_behind(line, beside, ahead)
            columns, diameter = _section_columns(maps, beside, frame, place, row["level"])
            row |= columns
            marks += [diameter] if diameter else []
    for number, row in enumerate(rows):
        below = rows[number + 1] if number + 1 < len(rows) else None
        row |= _narrowest_columns(row, below, spine, line, profile)
        _question(row)
    return rows


def _narrowest_columns(
    row: dict, below: dict | None, spine: Spine, line, profile: Profile | None
) -> dict:
    """Return the smallest area and AP of the canal from the middle of a body as far below its disc.

    Only as far as the middle of the disc, where the border cuts so much of the canal behind the body `below` that its
    middle is out of view.
    """
    sections = [SECTIONS["canal", place] for place in PLACES]
    faults = [
        _fault(row, [section.status for section in sections]),
        _fault(row, [section.ap_status for section in sections]),
    ]
    found = None
    if None in faults and profile is not None:
        body, disc = (
            line.position(spine.centroids_mm[row["label"] + offset]) for offset in PLACES.values()
        )
        leaves = (
            below is not None and below[SECTIONS["canal", "body"].ap_status] == S.TOUCHES_BORDER
        )
        found = profile.narrowest(body, disc if leaves else 2 * disc - body, disc)
    area, depth = (
        (None, fault) if fault else (value, S.NOT_IN_VIEW if value is None else S.OK)
        for value, fault in zip(found or (None, None), faults, strict=True)
    )
    return {
        "canal_area_min_mm2": area[0],
        "canal_min_status": area[1],
        "canal_ap_min_mm": depth[0],
        "canal_ap_min_status": depth[1],
    }


def _fault(row: dict, columns: list[str]) -> str | None:
    """Return why a section beside body or disc is not there, by its columns of status, or None."""
    return next((row[column] for column in columns if row[column] not in GIVEN), None)


def _question(row: dict) -> None:
    """Question a cord that lies too low or is too large to be one, in place; its values stay."""
    for place in PLACES:
        cord = SECTIONS["cord", place]
        given = [name for name in (cord.status, cord.ap_status) if row[name] in GIVEN]
        if given and is_questioned(row["label"], row[cord.area]):
            row |= dict.fromkeys(given, S.CORD_QUESTIONED)
            if row["cord_status"] == S.OK:
                row["cord_status"] = S.CORD_QUESTIONED
            row |= _space_states(row, place)
    if row["cord_status"] == S.OK and is_questioned(row["label"], None):
        row["cord_status"] = S.CORD_QUESTIONED


def section_frame(
    line: Centreline, centre_mm: np.ndarray, ahead_mm: np.ndarray | None = None
) -> Frame | None:
    """Return the frame of a section: on the centreline beside a structure, superior along the tangent.

    Its front lies towards the structure's centre, or towards `ahead_mm`.
    None where the centreline ends before it gets there.
    """
    at = line.position(centre_mm)
    if not line.reaches(at):
        return None
    point = line.point(at)
    ahead = centre_mm if ahead_mm is None else ahead_mm
    return make_frame(point, line.tangent(at), 2 * point - ahead)


def _frame_behind(line: Centreline | None, beside: Region | None, ahead_mm) -> Frame | None:
    if line is None or beside is None:
        return None
    return section_frame(line, beside.centroid_mm, ahead_mm)


def _section_columns(
    maps: LabelMaps, beside: Region | None, frame: Frame | None, place: str, level: str
) -> tuple[dict[str, Any], Landmark | None]:
    """Return the columns of canal and cord at a place of a level, and the line of the canal's AP diameter."""
    columns: dict[str, Any] = {}
    sections: dict[str, Section | None] = {}
    fault = None
    if frame is None or beside is None:
        fault = S.ABSENT
    elif is_cut(beside, frame.right, flank_fraction=1.0):  # nobody knows where its middle lies
        fault = S.TOUCHES_BORDER
    for name, (labels, form) in STRUCTURES.items():
        cut, state = None, fault or S.OK
        if frame is not None and fault is None:
            cut, state = cut_section(maps, labels, frame, form)
        sections[name] = cut
        own = SECTIONS[name, place]
        columns[own.area] = cut.area_mm2 if cut else None
        columns[own.ap] = cut.depth_mm if cut else None
        columns[own.rl] = cut.width_mm if cut else None
        columns[own.status] = state
        columns[own.ap_status] = S.OK if cut and cut.area_mm2 is None else state
    canal, cord = sections["canal"], sections["cord"]
    # the canal's section holds the cord's: where the cord fills it, two fits may differ the other way round
    space = max(canal.depth_mm - cord.depth_mm, 0.0) if canal and cord else None
    columns[COMPARED[place].space] = space
    inner, outer = (cut.area_mm2 if cut else None for cut in (cord, canal))
    ratio = None if inner is None or outer is None else min(inner / outer, 1.0)
    columns[COMPARED[place].ratio] = ratio
    diameter = _diameter(frame, canal, level) if frame and canal else None
    return columns | _space_states(columns, place), diameter


def _diameter(frame: Frame, cut: Section, level: str) -> Landmark:
    """Return the line of a canal's AP diameter, in the plane of its section."""
    middle = frame.to_world(np.array([*cut.middle_mm, 0.0]))
    half = cut.depth_mm / 2 * frame.anterior
    return Landmark(CANAL_AP, level, middle - half, middle + half)


def _space_states(columns: dict, place: str) -> dict:
    """Return what explains the space for the cord, of AP diameters, and the ratio of areas."""
    own = [SECTIONS[name, place] for name in STRUCTURES]
    return {
        COMPARED[place].space_status: _first_fault(columns[one.ap_status] for one in own),
        COMPARED[place].ratio_status: _first_fault(columns[one.status] for one in own),
    }


def _first_fault(states: Iterable[str]) -> str:
    return next((state for state in states if state != S.OK), S.OK)
