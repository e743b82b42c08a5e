"""What a column of a table is: its name, type, unit, definition, source, and what explains a gap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

STRING, INTEGER, NUMBER, BOOLEAN = "string", "integer", "number", "boolean"
MILLIMETRES, SQUARE_MILLIMETRES, CUBIC_MILLIMETRES = "mm", "mm2", "mm3"
DEGREES, PERCENT, RATIO = "deg", "percent", "1"

PRODUCT = "this software"


@dataclass(frozen=True)
class Column:
    """A column: `kind` is its type, `decimals` its rounding, `status` the column that explains a gap.

    `interval` holds the smallest and largest plausible value of an adult (both ends included), `codes` the
    values that a column of codes may take and their meaning. `level_intervals` holds narrower ranges by level,
    where a level has one. Numbers are `compared` between people by the plausibility flags, unless they describe
    the scan (positions, voxel sizes).
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
    compared: bool = True
    level_intervals: dict[str, tuple[float, float]] | None = None

    @property
    def is_scored(self) -> bool:
        """Whether the column's values are compared between people, and between sessions."""
        return self.kind == NUMBER and self.compared

    def entry(self, repeatability: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the column's entry in the JSON dictionary, in the manner of BIDS.

        `repeatability`: how far the measure strays when the same person is scanned again, if known.
        """
        entry: dict[str, Any] = {"Description": self.description, "Definition": self.definition}
        if self.units:
            entry["Units"] = self.units
        entry |= {"Source": self.source, "Type": self.kind}
        if repeatability:
            entry["Repeatability"] = repeatability
        if self.interval:
            entry["Range"] = list(self.interval)
        if self.level_intervals:
            entry["RangeByLevel"] = {k: list(v) for k, v in self.level_intervals.items()}
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
