"""What the settings say about the source of the scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wirbel.io.dataset.scan_names import T2W

TABLES = (".tsv", ".csv", ".txt")
WITHOUT = "none"
"""In `filter`: the scan's name does not have the entity."""


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; None: no limit."""

    low: float | None = None
    high: float | None = None

    def holds(self, text: str) -> bool:
        """Return True if a cell is a number in this range."""
        number = as_number(text)
        if number is None:
            return False
        return not (
            (self.low is not None and number < self.low)
            or (self.high is not None and number > self.high)
        )


@dataclass(frozen=True)
class OneOf:
    """One of some values, as text; a value that is a number also matches in another spelling."""

    values: tuple[str, ...]
    numbers: tuple[float, ...] = ()

    def holds(self, text: str) -> bool:
        """Return True if a cell is one of the values."""
        return text in self.values or (bool(self.numbers) and as_number(text) in self.numbers)


@dataclass(frozen=True)
class Source:
    """Which scans to take.

    Attributes
    ----------
    table : str
        A table of scans; empty: the BIDS folder.
    suffix : str
        Of the images of a BIDS folder.
    filter : mapping
        Entity -> accepted values, best first; WITHOUT accepts names that do not have it.
    where : mapping
        Column of participants.tsv, or of the table of scans -> accepted values.
    one_per_session : bool
        Take only the best scan of each session.
    dicom : bool
        The table names DICOM folders and archives; it may also be a folder of such.
    joined : bool
        The NIfTI files of a session are stations of one scan.
    apart : tuple of str
        The stations, in their order, that are scans of their own.
    """

    table: str = ""
    suffix: str = T2W
    filter: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: Mapping[str, OneOf | Range] = field(default_factory=dict)
    one_per_session: bool = False
    dicom: bool = False
    joined: bool = False
    apart: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What the scans of this source are called, for messages."""
        if self.dicom and not self.table.endswith(TABLES):
            return f"sub-*/[ses-*/] with DICOM files or archives in {self.table}"
        if self.table:
            return f"rows with participant_id and path in {self.table}"
        return f"sub-*/[ses-*/]anat/*_{self.suffix}.nii.gz"


ALL_T2W = Source()
"""Every T2w scan of a BIDS folder."""


def as_number(text: str) -> float | None:
    """Return the number that a cell holds; None if it holds another text.

    Examples
    --------
    >>> as_number(" 61"), as_number("61 years"), as_number("nan")
    (61.0, None, None)
    """
    try:
        number = float(text)
    except ValueError:
        return None
    return number if number == number else None
