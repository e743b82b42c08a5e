"""Convert numbers of any size to float32 without changing ratios or losing contrast to rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

AS_STORED = (1.0, 0.0)
"""Slope and intercept of unscaled values."""
LARGEST_EXPONENT = 100
"""Values beyond 2^100, or all below 2^-100, are scaled, because their sums and squares leave float32's
range.
"""
WORKING_EXPONENT = 10
"""Largest exponent of scaled values: about a scanner's grey values."""
LARGEST_OFFSET = 128
"""Values further from 0 than this many times their range are shifted; float32 would leave them fewer
than 2^16 steps.
"""
EXACT = 1 << 24
"""float32 holds every whole number up to this one."""
OFFSET_KEPT = 4
"""Shifted values stay this many times their range away from 0, to show that they have no true zero."""


@dataclass(frozen=True)
class Range:
    """The lowest and highest finite value seen, as Python numbers; None before the first value."""

    lowest: Any = None
    highest: Any = None

    def with_values(self, values: np.ndarray) -> Range:
        """Return the range that also holds `values`; NaN and infinity do not count."""
        if values.dtype.kind == "f":
            values = values[np.isfinite(values)]
        if not values.size:
            return self
        low, high = values.min().item(), values.max().item()
        if self.lowest is None:
            return Range(low, high)
        return Range(min(low, self.lowest), max(high, self.highest))

    @property
    def largest(self) -> float:
        """The largest magnitude, or 0 if no value was seen."""
        return 0.0 if self.lowest is None else float(max(abs(self.lowest), abs(self.highest)))

    def within(self, dtype: type) -> bool:
        """Return True if an integer type holds all values."""
        limits = np.iinfo(dtype)
        return self.lowest is not None and limits.min <= self.lowest and self.highest <= limits.max


@dataclass(frozen=True)
class Fit:
    """Converts stored values: subtract `base`, multiply by 2 ** `exponent`, add `offset`, cast to
    `dtype`.
    """

    dtype: np.dtype
    base: Any = 0
    exponent: int = 0
    offset: float = 0.0

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return converted `values`, of the same shape; NaN and infinity stay."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            if self.base:
                values = (values - values.dtype.type(self.base)).astype(np.float64)
            if self.exponent:
                values = np.ldexp(values.astype(np.float64), self.exponent)
            if self.offset:
                values = values + self.offset
            return values.astype(self.dtype)


def fit_to_float32(found: Range) -> Fit:
    """Return the conversion of values in a range to float32.

    Values stay unchanged unless contrast would be lost. Huge and tiny values are scaled by a power
    of two, which keeps ratios to the last bit. Values that vary little around a number far from
    zero are shifted to within five times their range.

    Examples
    --------
    >>> fit_to_float32(Range(0, 4095))(np.array([7])).tolist()
    [7.0]
    >>> fit_to_float32(Range(1e9, 1e9 + 10))(np.array([1e9, 1e9 + 10])).tolist()
    [40.0, 50.0]
    """
    if not found.largest:
        return Fit(np.dtype(np.float32))
    extent = float(found.highest - found.lowest)
    base, top = 0, found.largest
    whole = extent >= 1 and found.largest <= EXACT  # labels and grey values, exact in float32
    if 0 < extent < found.largest / LARGEST_OFFSET and not whole:
        base = found.lowest if found.lowest > 0 else found.highest
        top = (OFFSET_KEPT + 1) * extent
    exponent = _exponent(top)
    offset = OFFSET_KEPT * float(np.ldexp(extent, exponent)) if base else 0.0
    return Fit(np.dtype(np.float32), base, exponent, offset if found.lowest > 0 else -offset)


def _exponent(largest: float) -> int:
    """Return the power of two by which to scale values of up to `largest`; 0 for ordinary values."""
    exponent = int(np.frexp(largest)[1])
    return 0 if abs(exponent) <= LARGEST_EXPONENT else WORKING_EXPONENT - exponent
