"""The columns that flag unusual values, the same in all tables of measures."""

from __future__ import annotations

from wirbel.core.dictionary.column import NUMBER, STRING, Column

OUTLIER, OUT_OF_RANGE, NOT_COMPARED = "outlier", "out_of_range", "not_compared"
IGLEWICZ = (
    "Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC Quality Press 1993: modified z-scores, "
    "labelled above 3.5"
)
SCORE = (
    "Modified z-score: 0.6745 (x - median) / MAD, or (x - median) / (1.253314 mean absolute deviation) where "
    "the MAD is 0, among all rows of the same level and, where participants.tsv gives them, of the same sex "
    "and with the trend over age taken out; only complete values (status ok) in groups of at least 30"
)
PLAUSIBILITY = (
    Column(
        "plausibility_flags",
        STRING,
        "What is unusual about the row's values",
        "Flags separated by semicolons, empty when there are none: outlier (outlier_columns says which), "
        "out_of_range (out_of_range_columns says which), not_compared (no value is complete, or there are too "
        "few people to compare with). No row is ever left out because of a flag",
    ),
    Column(
        "outlier_columns",
        STRING,
        "Measures that are unusual in this cohort",
        f"Columns with an absolute score above 3.5, the largest first, separated by semicolons. {SCORE}",
        IGLEWICZ,
    ),
    Column(
        "out_of_range_columns",
        STRING,
        "Measures outside their plausible range",
        "Columns with a complete value outside the Range of this dictionary, or the RangeByLevel of the row's level, "
        "separated by semicolons",
    ),
    Column(
        "largest_modified_z",
        NUMBER,
        "The row's largest score, with its sign",
        f"The score of largest absolute value over all measures of the row. {SCORE}",
        IGLEWICZ,
        decimals=2,
        status="plausibility_flags",
        compared=False,
    ),
)
