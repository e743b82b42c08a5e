"""How far a value lies from its group: modified z-scores, and the trend with age taken out by a resistant line.

Mean and standard deviation would be drawn towards the very values that are looked for; median and MAD stand up
to a group of which nearly half is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

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
ROUNDING = 1e-9
"""Values that differ by less than this part of the largest are the same."""
STEPS = 4
"""Steps of the resistant line; each leaves a few per cent of the trend that is still there."""


@dataclass(frozen=True)
class Reference:
    """What the values of a group are compared with.

    `median` and `sd` are those of the `count` values as they would be at `age` years; the trend is `slope` per year,
    found from `ages_known` values. Without a trend `slope` is 0 and `age` NaN.
    """

    count: int
    median: float
    sd: float
    slope: float
    age: float
    ages_known: int

    def scores(self, values: np.ndarray, ages: np.ndarray) -> np.ndarray:
        """Return (x - slope (age - median age) - median) / sd of values (n,); 0 where all of the group are the same."""
        centred = _at_age(values, ages, self.slope, self.age) - self.median
        return centred / self.sd if self.sd > 0 else np.zeros_like(centred)


def reference_of(values: np.ndarray, ages: np.ndarray) -> Reference:
    """Return the reference that finite `values` of shape (n,) are for each other; `ages` NaN where unknown.

    `sd` is MAD / 0.6745; where more than half of the values are the same, so that the MAD is 0, it is 1.253314 times
    the mean absolute deviation from the median.
    """
    slope, age, known = age_trend(values, ages)
    adjusted = _at_age(values, ages, slope, age)
    median = np.median(adjusted)
    distances = np.abs(adjusted - median)
    mad = np.median(distances)
    same = mad <= ROUNDING * np.abs(values).max()
    sd = distances.mean() * MEAN_DEVIATION_TO_SD if same else mad / MAD_TO_SD
    return Reference(len(values), float(median), float(sd), slope, age, known)


def modified_z(values: np.ndarray) -> np.ndarray:
    """Return the modified z-scores of finite `values` of shape (n,), 0.6745 (x - median) / MAD."""
    unknown = np.full(len(values), np.nan)
    return reference_of(values, unknown).scores(values, unknown)


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


def age_trend(values: np.ndarray, ages: np.ndarray) -> tuple[float, float, int]:
    """Return (slope per year, median age, number of known ages); no slope when too few ages are known."""
    known = np.isfinite(ages)
    count = int(known.sum())
    if count < MINIMUM_FOR_AGE:
        return 0.0, float("nan"), count
    return resistant_slope(ages[known], values[known]), float(np.median(ages[known])), count


def without_age(values: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Return `values` as they would be at the median age; both of shape (n,), NaN for an unknown age.

    A value of unknown age stays as it is, and so do all when too few ages are known.
    """
    slope, age, _ = age_trend(values, ages)
    return _at_age(values, ages, slope, age)


def _at_age(values: np.ndarray, ages: np.ndarray, slope: float, age: float) -> np.ndarray:
    """Return values as they would be at an age; those of unknown age as they are."""
    if not np.isfinite(age):
        return values
    return values - slope * np.where(np.isfinite(ages), ages - age, 0.0)
