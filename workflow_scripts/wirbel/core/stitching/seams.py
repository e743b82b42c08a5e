"""What is known of the seam between two stations, and whether it is plausible."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from wirbel.errors import ScanError

SHORTEST_OVERLAP_MM = 15.0
"""Less than a vertebra with its disc (cervical: 20 mm) does not tell which one is which."""
LARGEST_SHIFT_MM = 20.0
"""People move by millimetres between stations; further is another patient position or a wrong header."""
LARGEST_ROTATION_DEG = 6.0
LOWEST_CORRELATION = 0.6
"""Of the overlap after registration. Overlaps of one person reach 0.9 and more, those of two people 0.5 or less."""


@dataclass(frozen=True)
class Seam:
    """Two neighbouring stations.

    Attributes
    ----------
    upper, lower : str
        The stations' names.
    overlap_mm : float
        Length of the overlap along the spine, at its centre, as the headers have it.
    shift_right_mm, shift_front_mm, shift_up_mm : float
        By how much the station that is farther from the reference was moved at the centre of the
        overlap (RAS), beyond what the headers say.
    rotation_deg : float
        By how much it was turned.
    correlation_before, correlation : float
        Of the intensities in the overlap, as the headers have it and after registration.
    intensity_ratio : float
        By which its intensities were multiplied.
    """

    upper: str
    lower: str
    overlap_mm: float
    shift_right_mm: float = 0.0
    shift_front_mm: float = 0.0
    shift_up_mm: float = 0.0
    rotation_deg: float = 0.0
    correlation_before: float = 0.0
    correlation: float = 0.0
    intensity_ratio: float = 1.0

    @property
    def shift_mm(self) -> float:
        """Length of the shift."""
        parts = (self.shift_right_mm, self.shift_front_mm, self.shift_up_mm)
        return sum(part * part for part in parts) ** 0.5

    def as_row(self) -> dict[str, str | float]:
        """Return the seam as a row of a table, rounded to micrometres and thousandths."""
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(self).items()}


def check_overlap(seam: Seam) -> None:
    """Refuse stations that hardly overlap (ScanError "implausible_seam")."""
    if seam.overlap_mm < SHORTEST_OVERLAP_MM:
        _refuse(
            seam, f"an overlap of at least {SHORTEST_OVERLAP_MM:g} mm", f"{seam.overlap_mm:.0f} mm"
        )


def check_seam(seam: Seam) -> None:
    """Refuse an implausible seam (ScanError "implausible_seam")."""
    if seam.correlation < LOWEST_CORRELATION:
        _refuse(
            seam,
            f"images that agree in their overlap (correlation of {LOWEST_CORRELATION:g} or more)",
            f"a correlation of {seam.correlation:.2f}; they may be of two people, or their positions wrong",
        )
    if seam.shift_mm > LARGEST_SHIFT_MM:
        _refuse(seam, f"a shift of at most {LARGEST_SHIFT_MM:g} mm", f"{seam.shift_mm:.1f} mm")
    if seam.rotation_deg > LARGEST_ROTATION_DEG:
        found = f"{seam.rotation_deg:.1f} degrees"
        _refuse(seam, f"a rotation of at most {LARGEST_ROTATION_DEG:g} degrees", found)


def _refuse(seam: Seam, expected: str, found: str) -> None:
    raise ScanError(
        "implausible_seam",
        f"seam between the stations {seam.upper} and {seam.lower}: expected {expected}, found {found}; look at the "
        "images, then leave out a station or correct its position",
    )
