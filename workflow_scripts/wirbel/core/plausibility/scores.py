"""How far a value lies from its group: modified z-scores, and the trend with age taken out by a resistant line.

Mean and standard deviation would be drawn towards the very values that are looked for; median and MAD stand up
to a group of which nearly half is wrong.
"""

from __future__ import annotations

import numpy as np

OUTLIER_SCORE = 3.5
"""A larger modified z-score is labelled an outlier: Iglewicz and Hoaglin, How to Detect and Handle
Outliers, ASQC Quality Press 1993."""
MAD_TO_SD = 0.6745
"""MAD of a standard normal distribution, its third quartile (Iglewicz and Hoaglin 1993)."""
MEAN_DEVIATION_TO_SD = 1.253314
"""sqrt(pi / 2): standard deviation over mean absolute deviation of a normal distribution."""
MINIMUM_GROUP = 30
"""Values that a group needs. Of 30 normal values 0.4 % score above 3.5, of 10 values 1.7 %, of very many
0.05 % (simulated): in smaller groups the scores say more about the MAD's own error than about the value."""
MINIMUM_FOR_AGE = 90
"""Values of known age that a trend with age needs: the smallest group in each third of the line."""
STEPS = 4
"""Steps of the resistant line; each leaves a few per cent of the trend that is still there."""


def modified_z(values: np.ndarray) -> np.ndarray:
    """Return the modified z-scores of finite `values` of shape (n,).

    0.6745 (x - median) / MAD; where more than half of the values are the same, so that the MAD is 0,
    (x - median) / (1.253314 mean absolute deviation from the median); 0 where all are the same.
    """
    centred = values - np.median(values)
    distances = np.abs(centred)
    mad = np.median(distances)
    spread = mad / MAD_TO_SD if mad > 0 else distances.mean() * MEAN_DEVIATION_TO_SD
    return centred / spread if spread > 0 else np.zeros_like(centred)


def resistant_slope(x: np.ndarray, y: np.ndarray) -> float:
    """Return the slope of Tukey's resistant line through points of shape (n,); 0 where x hardly varies.

    The line for which the medians of the residuals in the lower and the upper third of x are equal: Tukey,
    Exploratory Data Analysis, Addison-Wesley 1977; Johnstone and Velleman, J Am Stat Assoc 1985;80:1041.
    It stands up to a sixth of wrong values, and takes medians only, so that it is quick for many points.
    """
    low, high = np.quantile(x, [1 / 3, 2 / 3])
    lower, upper = x <= low, x >= high
    run = np.median(x[upper]) - np.median(x[lower])
    if run <= 0:
        return 0.0
    slope = 0.0
    for _ in range(STEPS):
        left, right = (y[third] - slope * x[third] for third in (lower, upper))
        slope += (np.median(right) - np.median(left)) / run
    return float(slope)


def without_age(values: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Return `values` as they would be at the median age; both of shape (n,), NaN for an unknown age.

    A value of unknown age stays as it is, and so do all when too few ages are known.
    """
    known = np.isfinite(ages)
    if known.sum() < MINIMUM_FOR_AGE:
        return values
    slope = resistant_slope(ages[known], values[known])
    return values - slope * np.where(known, ages - np.median(ages[known]), 0.0)
