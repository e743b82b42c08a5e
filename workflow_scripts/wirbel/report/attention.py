"""How much a scan deserves a look: one number that the list is sorted by, the worst first.

A stated rule and no probability: a person sees from the columns beside it what it is made of.
"""

from __future__ import annotations

import numpy as np

FAILED = 100
PER_FLAG = 10
"""For each flag of the result as a whole, of the file, or of the level names."""
UNSURE_LEVELS = 5
LOW_CONFIDENCE = 0.6
"""Level names less certain than this count as unsure; the contact sheet and the page of a scan mark those too."""
PER_RANGE_ROW, MOST_RANGE = 2, 20
"""For each row with a value outside its plausible range, and at most."""
PER_OUTLIER_ROW, MOST_OUTLIERS = 1, 20
RULE = (
    f"{FAILED} for a failed scan; {PER_FLAG} for each flag; {UNSURE_LEVELS} where the level names are less certain "
    f"than {LOW_CONFIDENCE} or both ends disagree; {PER_RANGE_ROW} for each row with a value out of range "
    f"(at most {MOST_RANGE}); {PER_OUTLIER_ROW} for each row with an outlier (at most {MOST_OUTLIERS})"
)


def attention(
    failed: np.ndarray,
    flags: np.ndarray,
    confidence: np.ndarray,
    disagree: np.ndarray,
    out_of_range: np.ndarray,
    outliers: np.ndarray,
) -> np.ndarray:
    """Return the number for each scan; all arrays (n_scans,), `flags` and the last two are counts."""
    unsure = (confidence < LOW_CONFIDENCE) | disagree
    return (
        FAILED * failed
        + PER_FLAG * flags
        + UNSURE_LEVELS * unsure
        + np.minimum(PER_RANGE_ROW * out_of_range, MOST_RANGE)
        + np.minimum(PER_OUTLIER_ROW * outliers, MOST_OUTLIERS)
    ).astype(int)
