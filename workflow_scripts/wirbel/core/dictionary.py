"""Every column of every cohort table, declared once.

The tables' columns, their order, types and rounding, and the JSON dictionaries beside the tables all
come from `TABLES`. To add a measure: declare its column here, and put its value under the same name
into the row that `wirbel.core.measures` makes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from wirbel.core.labels import POSTERIOR_ELEMENTS, SUBREGION_NAMES
from wirbel.core.measures.status import STATUS_CODES
from wirbel.errors import REASONS

STRING, INTEGER, NUMBER, BOOLEAN = "string", "integer", "number", "boolean"
MILLIMETRES, CUBIC_MILLIMETRES = "mm", "mm3"

PRODUCT = "this software"
VOXEL_COUNT = "number of voxels with the structure's label times the volume of one voxel"
SIX_POINT = (
    "six-point morphometry of Black et al., J Bone Miner Res 1991;6:883-892, "
    "with all points in the mid-sagittal plane"
)
OWN_AXIS = (
    "The superior axis bisects the normals of planes fitted to the middle of the upper and the lower "
    "surface; the mid-sagittal plane holds this axis, the structure's centroid and the centre of the "
    "canal behind it; depth runs from the back wall to the front wall at the rims."
)


@dataclass(frozen=True)
class Column:
    """A column: `kind` is its type, `decimals` its rounding, `status` the column that explains a gap.

    `interval` holds the smallest and largest plausible value of an adult (both ends included), `codes`
    the values that a column of codes may take and their meaning.
    """

    name: str
    kind: str
    description: str
    definition: str
    source: str = PRODUCT
    units: str = ""
    interval: tuple[float, float] | None = None
    decimals: int = 3
    status: str = ""
    codes: dict[str, str] | None = None

    def entry(self) -> dict[str, Any]:
        """Return the column's entry in the JSON dictionary, in the manner of BIDS."""
        entry: dict[str, Any] = {"Description": self.description, "Definition": self.definition}
        if self.units:
            entry["Units"] = self.units
        entry |= {"Source": self.source, "Type": self.kind}
        if self.interval:
            entry["Range"] = list(self.interval)
        if self.codes:
            entry["Levels"] = self.codes
        if self.status:
            entry["MissingExplainedBy"] = self.status
        return entry

    def clean(self, value: Any) -> Any:
        """Return `value` in the column's own type, rounded; NaN and infinity become None."""
        if value is None:
            return None
        if self.kind == NUMBER:
            return round(float(value), self.decimals) + 0.0 if math.isfinite(float(value)) else None
        return {INTEGER: int, BOOLEAN: bool, STRING: str}[self.kind](value)


def _identity(name: str, description: str, definition: str) -> Column:
    return Column(name, STRING, description, definition, "BIDS file name")


IDENTITY = (
    _identity("participant_id", "Participant", "The entity sub-<label>"),
    _identity("session_id", "Session", "The entity ses-<label>; empty when the data set has none"),
    _identity("run_id", "Run", "The entity run-<index>; empty when there is one run"),
    _identity("scan_id", "Scan", "The file name without _T2w.nii[.gz]; unique in the data set"),
)


def _status(name: str, what: str, *codes: str) -> Column:
    return Column(
        name,
        STRING,
        f"Whether {what} is complete",
        "Code that says why a value is missing or incomplete",
        codes={code: STATUS_CODES[code] for code in codes},
    )


def _volume(name, what, labels, status, interval=None) -> Column:
    return Column(
        name,
        NUMBER,
        f"Volume of the {what}",
        f"{VOXEL_COUNT} ({labels}); 0 when the structure was not found; the imaged part only when "
        f"{status} says touches_border",
        units=CUBIC_MILLIMETRES,
        interval=interval,
        decimals=1,
        status=status,
    )


def _centroid(prefix, what, status) -> tuple[Column, ...]:
    directions = {"x": "right", "y": "anterior", "z": "superior"}
    return tuple(
        Column(
            f"{prefix}centroid_{axis}_mm",
            NUMBER,
            f"Position of the {what}, {way} positive",
            f"Mean {axis} coordinate of the {what}'s voxels in the scanner's RAS+ world coordinates",
            units=MILLIMETRES,
            status=status,
        )
        for axis, way in directions.items()
    )


def _body_height(name, percent, interval) -> Column:
    return Column(
        f"height_{name}_mm",
        NUMBER,
        f"{name.capitalize()} height of the vertebral body",
        f"Distance along the vertebra's superior axis between the outer surfaces of its upper and lower "
        f"endplates at {percent} % of the depth (0 % is the back), in the mid-sagittal plane. {OWN_AXIS}",
        SIX_POINT,
        MILLIMETRES,
        interval,
        status="height_status",
    )


def _disc_height(name, definition) -> Column:
    return Column(
        f"disc_height{name}_mm",
        NUMBER,
        f"{name.strip('_').capitalize() or 'Mean'} height of the disc",
        f"{definition}, along the disc's superior axis in its mid-sagittal plane, from the endplate above "
        f"to the endplate below. {OWN_AXIS}",
        "after Frobin et al., Clin Biomech 1997;12 Suppl 1:S1-S63",
        MILLIMETRES,
        (1.0, 22.0),
        status="disc_height_status",
    )


LEVEL = Column(
    "level",
    STRING,
    "Vertebral level",
    "C2 to C7, T1 to T13, L1 to L6, named as level_method of the scan says",
)
LABEL = Column(
    "label", INTEGER, "Number in the vertebra map", "1-7 C1-C7, 8-19 T1-T12, 28 T13, 20-25 L1-L6"
)
LEVEL_METHOD_CODES = {
    "top": "counted down from the top of the spine",
    "sacrum": "counted up from the sacrum",
    "both": "counted from both ends",
    "estimated": "neither end is in view: estimated from position and size",
    "unknown": "the maps came without this information",
}
LEVEL_NAMING = (
    Column(
        "level_confidence",
        NUMBER,
        "Confidence in the level names",
        "From 0 to 1, the same for all rows of a scan",
        interval=(0.0, 1.0),
        status="level_method",
    ),
    Column(
        "level_method",
        STRING,
        "How the level names were found",
        "The end of the spine that the vertebrae were counted from, the same for all rows of a scan",
        codes=LEVEL_METHOD_CODES,
    ),
)

VERTEBRAE = (
    *IDENTITY,
    LABEL,
    LEVEL,
    *LEVEL_NAMING,
    _body_height("anterior", 85, (5.0, 45.0)),
    _body_height("middle", 50, (5.0, 45.0)),
    _body_height("posterior", 15, (5.0, 45.0)),
    _status(
        "height_status",
        "the heights' measurement",
        "ok",
        "touches_border",
        "absent",
        "no_canal",
        "surface_incomplete",
        "not_defined_for_c2",
    ),
    _volume(
        "body_volume_mm3",
        "vertebral body without its endplates",
        "labels 49 and 50",
        "body_status",
        (500.0, 90000.0),
    ),
    _volume(
        "vertebra_volume_mm3",
        "whole vertebra without its endplates",
        "labels 41 to 50",
        "vertebra_status",
        (2000.0, 160000.0),
    ),
    *(
        _volume(
            f"{SUBREGION_NAMES[label]}_volume_mm3",
            SUBREGION_NAMES[label].replace("_", " "),
            f"label {label}",
            "vertebra_status",
        )
        for label in POSTERIOR_ELEMENTS
    ),
    *_centroid("", "whole vertebra", "vertebra_status"),
    *_centroid("body_", "vertebral body", "body_status"),
    _status("body_status", "the vertebral body", "ok", "touches_border", "absent"),
    _status("vertebra_status", "the vertebra", "ok", "touches_border"),
)

DISCS = (
    *IDENTITY,
    Column(
        "label_above",
        INTEGER,
        "Number of the vertebra above in the vertebra map",
        "The disc itself carries this number plus 100",
    ),
    Column("level", STRING, "Level of the disc", "The vertebrae above and below, such as L5-S1"),
    *LEVEL_NAMING,
    _disc_height("", "Mean height over the middle half of the depth, the mean of 11 positions"),
    _disc_height("_anterior", "Height at 85 % of the depth (0 % is the back)"),
    _disc_height("_middle", "Height at 50 % of the depth"),
    _disc_height("_posterior", "Height at 15 % of the depth (0 % is the back)"),
    _status(
        "disc_height_status",
        "the heights' measurement",
        "ok",
        "touches_border",
        "absent",
        "no_canal",
        "surface_incomplete",
    ),
    _volume("disc_volume_mm3", "intervertebral disc", "label 100", "disc_status", (200.0, 35000.0)),
    *_centroid("", "disc", "disc_status"),
    _status("disc_status", "the disc", "ok", "touches_border"),
)

_LEVEL_SHARE = (
    "at this level: the voxels nearer to this vertebral body's centroid than to any other's; beyond the "
    "first and the last body a mirror image of its neighbour takes the rest"
)
LEVELS = (
    *IDENTITY,
    LABEL,
    LEVEL,
    *LEVEL_NAMING,
    _volume(
        "canal_volume_mm3",
        f"spinal canal without the cord {_LEVEL_SHARE}",
        "label 61",
        "canal_status",
        (0.0, 30000.0),
    ),
    _volume(
        "cord_volume_mm3", f"spinal cord {_LEVEL_SHARE}", "label 60", "cord_status", (0.0, 6000.0)
    ),
    _status("canal_status", "the canal at this level", "ok", "touches_border", "absent"),
    _status("cord_status", "the cord at this level", "ok", "touches_border", "absent"),
)

SCANS = (
    *IDENTITY,
    Column(
        "scan_status",
        STRING,
        "Whether the scan was measured",
        "ok, or the reason code under which the table of failures lists the scan",
        codes={"ok": "measured", **REASONS},
    ),
    Column(
        "vertebrae_found",
        INTEGER,
        "Number of presacral vertebrae found",
        "Vertebrae with at least one voxel in the vertebra map, the sacrum left out",
        interval=(0, 25),
        status="scan_status",
    ),
    Column(
        "discs_found",
        INTEGER,
        "Number of discs found",
        "Discs with at least one voxel in the vertebra map",
        interval=(0, 25),
        status="scan_status",
    ),
    Column(
        "first_level",
        STRING,
        "Uppermost vertebra found",
        "Its level; empty when vertebrae_found is 0",
        status="vertebrae_found",
    ),
    Column(
        "last_level",
        STRING,
        "Lowest presacral vertebra found",
        "Its level; empty when vertebrae_found is 0",
        status="vertebrae_found",
    ),
    *LEVEL_NAMING,
    Column(
        "levels_agree",
        BOOLEAN,
        "Whether counting from both ends gives the same names",
        "Given when both ends are in view; empty otherwise",
        status="level_method",
    ),
    Column(
        "level_flags",
        STRING,
        "What is unusual about the levels",
        "Flags separated by semicolons, empty when there are none: gap (a vertebra seems to be missing), "
        "enumeration_anomaly (one more or one fewer vertebra than usual between both ends), "
        "enumeration_implausible (more than that), too_many_vertebrae, sizes_disagree (sizes suggest other "
        "names), no_bodies",
    ),
    _volume(
        "canal_volume_mm3",
        "spinal canal without the cord in the whole scan",
        "label 61",
        "canal_status",
        (0.0, 300000.0),
    ),
    _volume(
        "cord_volume_mm3",
        "spinal cord in the whole scan",
        "label 60",
        "cord_status",
        (0.0, 60000.0),
    ),
    _volume("sacrum_volume_mm3", "sacrum", "label 26", "sacrum_status", (0.0, 450000.0)),
    _status("canal_status", "the canal", "ok", "touches_border", "absent"),
    _status("cord_status", "the cord", "ok", "touches_border", "absent"),
    _status("sacrum_status", "the sacrum", "ok", "touches_border", "absent"),
    Column(
        "in_plane_spacing_mm",
        NUMBER,
        "Voxel size within slices",
        "Mean of the two smaller voxel sizes",
        "image header",
        MILLIMETRES,
        (0.1, 3.0),
        status="scan_status",
    ),
    Column(
        "slice_spacing_mm",
        NUMBER,
        "Distance between slices",
        "The largest voxel size",
        "image header",
        MILLIMETRES,
        (0.1, 8.0),
        status="scan_status",
    ),
)

FAILURES = (
    *IDENTITY,
    Column("stage", STRING, "Stage at which the scan failed", "The first stage that failed"),
    Column("reason", STRING, "Why the scan failed", "Reason code", codes=REASONS),
    Column("detail", STRING, "What was expected, what came, what to do", "One sentence"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    "scans": SCANS,
    "vertebrae": VERTEBRAE,
    "discs": DISCS,
    "levels": LEVELS,
    "failures": FAILURES,
}
"""Table name -> its columns, in their order."""


def clean_row(table: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` with exactly the table's columns that it has, in their order, cleaned.

    Raises KeyError when `values` has a key that no column declares.
    """
    unknown = values.keys() - {column.name for column in TABLES[table]}
    if unknown:
        raise KeyError(f"no column of table {table!r} declares {', '.join(sorted(unknown))}")
    return {c.name: c.clean(values[c.name]) for c in TABLES[table] if c.name in values}


def dictionary(table: str) -> dict[str, dict[str, Any]]:
    """Return the JSON dictionary of a table: column name -> entry."""
    return {column.name: column.entry() for column in TABLES[table]}
