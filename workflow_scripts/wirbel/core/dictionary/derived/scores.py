"""The tables of scores: how far each value lies from those of other people, and what it was compared with."""

from __future__ import annotations

from collections.abc import Sequence

from wirbel.core.dictionary.column import INTEGER, NUMBER, STRING, Column
from wirbel.core.dictionary.plausibility import IGLEWICZ, SCORE

NORMS = "reference"
"""Name of the table of what values were compared with."""
TUKEY = "Tukey, Exploratory Data Analysis, Addison-Wesley 1977 (resistant line)"
UNCOMPARED = Column(
    "too_few_to_compare",
    STRING,
    "Measures without a score because too few people have one",
    "Columns of the table of measures with a complete value (status ok) in a group of fewer than 30, separated by "
    "semicolons. Every other missing score is that of a value that is missing or incomplete: its status column in the "
    "table of measures says why",
)


def score_table(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns of the table of scores beside a table of measures: same rows, same order."""
    scores = (_score(c) for c in columns if c.is_scored)
    return (*keys_of(columns), *scores, UNCOMPARED, *(c for c in columns if c.name == REVIEWED))


REVIEWED = "review"
KEYS = (
    "participant_id",
    "session_id",
    "run_id",
    "scan_id",
    "label",
    "label_above",
    "level",
    "level_order",
)
"""Columns by which a row of a table of scores is found again in the table of measures."""


def keys_of(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns of a table of measures that tell its rows apart."""
    return tuple(c for c in columns if not c.units and c.name in KEYS)


def _score(column: Column) -> Column:
    return Column(
        f"{column.name}_z",
        NUMBER,
        f"Score of {column.name} by level, sex and age",
        f"{SCORE}. 0 is the median of the group, 1 as large as a standard deviation; the table {NORMS} holds median, "
        "standard deviation and trend of every group",
        IGLEWICZ,
        units="1",
        decimals=2,
        status=UNCOMPARED.name,
        compared=False,
    )


def _figure(name: str, description: str, definition: str, source: str) -> Column:
    return Column(
        name, NUMBER, description, definition, source, decimals=6, status="n", compared=False
    )


REFERENCE = (
    Column("table", STRING, "Table of the measure", "scans, vertebrae, discs or levels"),
    Column("measure", STRING, "Measure", "Its column in that table"),
    Column("level", STRING, "Level", "As in that table; empty for measures of whole scans"),
    Column(
        "sex",
        STRING,
        "Sex of the group",
        "As in participants.tsv; all: everybody of that level, with whom those are compared whose sex is unknown or "
        "has fewer than 30 values",
    ),
    Column(
        "n", INTEGER, "Number of values", "Complete values (status ok) of the group, at least 30"
    ),
    _figure(
        "median", "Median of the values", "At age_years where there is a trend over age", IGLEWICZ
    ),
    _figure(
        "sd",
        "Robust standard deviation",
        "MAD / 0.6745 after the trend over age is taken out; where the MAD is 0, 1.253314 times the mean absolute "
        "deviation. A new value x of a person of this group scores (x - age_slope (age - age_years) - median) / sd",
        IGLEWICZ,
    ),
    _figure(
        "age_slope",
        "Trend over age, per year",
        "Slope of the resistant line; 0 where fewer than 90 ages are known",
        TUKEY,
    ),
    _figure(
        "age_years", "Median age", "Empty where fewer than 90 ages are known", "participants.tsv"
    ),
    Column("ages_known", INTEGER, "Number of values of known age", "They decide the trend"),
)
"""One row per measure and group that values were compared with; made anew from the cohort with its tables."""
