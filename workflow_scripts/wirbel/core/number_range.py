"""Numbers of any size as float32: ratios stay what they are, and contrast is never lost in rounding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

AS_STORED = (1.0, 0.0)
"""Slope and intercept of values that are not scaled."""
LARGEST_EXPONENT = 100
"""Values beyond 2^100, or all below 2^-100, are scaled: sums and squares of them leave the range of float32."""
WORKING_EXPONENT = 10
"""Scaled values have this exponent at most: about a scanner's grey values."""
LARGEST_OFFSET = 128
"""Values further from 0 than this many times their range are shifted: float32 would leave fewer than 2^16 steps."""
EXACT = 1 << 24
"""Up to it float32 holds every whole number."""
OFFSET_KEPT = 4
"""Shifted values stay this many times their range away from 0, so that it shows that they have no zero."""


@dataclass(frozen=True)
class Range:
    """The lowest and highest finite value seen (None before the first), Python numbers."""

    lowest: Any = None
    highest: Any = None

    def with_values(self, values: np.ndarray) -> Range:
        """Return the range that holds `values`, too; NaN and infinity do not count."""
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
        """The largest magnitude, 0 where nothing was seen."""
        return 0.0 if self.lowest is None else float(max(abs(self.lowest), abs(self.highest)))

    def within(self, dtype: type) -> bool:
        """Return whether an integer type holds all values."""
        limits = np.iinfo(dtype)
        return self.lowest is not None and limits.min <= self.lowest and self.highest <= limits.max


@dataclass(frozen=True)
class Fit:
    """How stored values become those in memory: minus `base`, times 2 ** `exponent`, plus `offset`, as `dtype`."""

    dtype: np.dtype
    base: Any = 0
    exponent: int = 0
    offset: float = 0.0

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return `values` (any shape) in memory; NaN and infinity stay."""
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            if self.base:
                values = (values - values.dtype.type(self.base)).astype(np.float64)
            if self.exponent:
                values = np.ldexp(values.astype(np.float64), self.exponent)
            if self.offset:
                values = values + self.offset
            return values.astype(self.dtype)


def fit_to_float32(found: Range) -> Fit:
    """Return how values in a range become float32: unchanged, unless they are so large or small that contrast is lost.

    Huge and tiny values are scaled by a power of two, which keeps ratios to the last bit. Values that vary little
    around a number far from zero are shifted to within five times their range.
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
    """Return by which power of two to scale values of up to `largest`; 0 for usual ones."""
    exponent = int(np.frexp(largest)[1])
    return 0 if abs(exponent) <= LARGEST_EXPONENT else WORKING_EXPONENT - exponent
