"""What of a DICOM file's header decides which series it belongs to, and whether that is a scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wirbel.io.dataset.sidecar_facts import made_of_others

ORIENTATIONS = ("sagittal", "coronal", "axial")
"""By the axis that the slices' normal is closest to: left-right, front-back, head-feet."""
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""SOP Class UID of secondary capture images; those of its multi-frame kinds begin with it."""


@dataclass(frozen=True)
class DicomHeader:
    """A file of a series. Fields that a header lacks are None, or empty.

    Attributes
    ----------
    place : int
        The file's place in its delivery (`wirbel.ingest.archives.Member`).
    series, instance : str
        UIDs; they are compared, and never leave this package. So do descriptions.
    patient : str
        PatientID; it is compared, and never leaves this package.
    series_number : int or None
        Of the series; a repetition has a higher one.
    description, protocol : str
        SeriesDescription and ProtocolName.
    modality, sop_class, image_type : str, str, tuple of str
        As the header has them.
    echo_time_ms : float or None
        Echo time in ms.
    pixel_mm : tuple of float
        PixelSpacing: between rows, between columns, in mm; empty if missing.
    slice_mm : float or None
        SliceThickness in mm.
    rows, columns : int
        Pixels.
    directions : tuple of float
        ImageOrientationPatient: six cosines in LPS; empty if missing.
    positions : tuple of (x, y, z)
        ImagePositionPatient of every frame, LPS mm; empty if missing.
    frames : int
        Number of frames.
    is_captured : bool
        The image was captured from a screen or a film.
    is_cut_short : bool
        The file ends before its pixels do.
    facts : mapping
        What may be passed on (`wirbel.ingest.headers.facts`).
    """

    place: int
    series: str
    instance: str
    patient: str
    series_number: int | None
    description: str
    protocol: str
    modality: str
    sop_class: str
    image_type: tuple[str, ...]
    echo_time_ms: float | None
    pixel_mm: tuple[float, ...]
    slice_mm: float | None
    rows: int
    columns: int
    directions: tuple[float, ...]
    positions: tuple[tuple[float, float, float], ...]
    frames: int
    is_captured: bool
    is_cut_short: bool
    facts: dict

    @property
    def normal(self) -> np.ndarray | None:
        """Unit vector perpendicular to the slices, LPS; None without orientation."""
        if len(self.directions) != 6:
            return None
        normal = np.cross(self.directions[:3], self.directions[3:])
        length = float(np.linalg.norm(normal))
        return normal / length if np.isfinite(length) and length > 0.5 else None

    @property
    def orientation(self) -> str:
        """One of ORIENTATIONS; empty if the header does not say."""
        return "" if self.normal is None else ORIENTATIONS[int(np.argmax(np.abs(self.normal)))]

    @property
    def is_derived(self) -> bool:
        """Whether the image was made from others, or captured."""
        made = bool(made_of_others(self.image_type))
        return made or self.is_captured or self.sop_class.startswith(SECONDARY_CAPTURE)
