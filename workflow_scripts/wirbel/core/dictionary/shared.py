"""Columns that several tables share: which scan, which level, whether complete, what readers decided."""

from __future__ import annotations

from wirbel.core.dictionary.column import BOOLEAN, INTEGER, STRING, Column
from wirbel.core.reviewing.reviews import OUTCOMES

OWN_AXIS = (
    "The superior axis bisects the normals of planes fitted to the middle of the upper and the lower "
    "surface; the mid-sagittal plane holds this axis, the structure's centroid and the centre of the "
    "canal behind it; depth runs from the back wall to the front wall at the rims."
)


def _identity(name: str, description: str, definition: str) -> Column:
    return Column(name, STRING, description, definition, "BIDS file name")


STATION = Column(
    "station",
    STRING,
    "Station that shows it",
    "Where stations are segmented apart (stitch: false), the name of the one that the row was measured in; otherwise "
    "empty. Of several stations that show a vertebra, a disc or a level, the row is that of the one which shows it "
    "completely, then of the one with the larger volume, then of the upper one",
    "setting stations",
)

IDENTITY = (
    _identity("participant_id", "Participant", "The entity sub-<label>"),
    _identity("session_id", "Session", "The entity ses-<label>; empty when the data set has none"),
    _identity("run_id", "Run", "The entity run-<index>; empty when there is one run"),
    _identity("scan_id", "Scan", "The file name without _T2w.nii[.gz]; unique in the data set"),
    STATION,
)


REVIEW = Column(
    "review",
    STRING,
    "What readers decided about the scan",
    "From the files that the setting reviews names, the same for all rows of a scan. Rejected scans are kept: leave "
    "them out of analyses by this column",
    "readers",
    codes=OUTCOMES,
)

COMPLETE = "complete"


def complete(what: str, definition: str) -> Column:
    """Return the column that tells rows of whole structures from those of imaged parts."""
    return Column(
        COMPLETE,
        BOOLEAN,
        f"Whether {what} lies wholly in view",
        f"{definition}. Average volumes over rows with true only",
    )


LEVEL = Column(
    "level",
    STRING,
    "Vertebral level",
    "C2 to C7, T1 to T13, L1 to L6, named as level_method of the scan says",
)
LEVEL_ORDER = Column(
    "level_order",
    INTEGER,
    "Place of the level down the spine",
    "1 C1 to 7 C7, 8 T1 to 19 T12, 20 T13, 21 L1 to 26 L6; of a disc, that of the vertebra above. For sorting and for "
    "axes; in Parquet the column level is ordered the same way",
    interval=(1, 26),
)
LABEL = Column(
    "label", INTEGER, "Number in the vertebra map", "1-7 C1-C7, 8-19 T1-T12, 28 T13, 20-25 L1-L6"
)
