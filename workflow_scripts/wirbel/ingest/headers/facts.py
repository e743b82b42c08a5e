"""The few things of a DICOM header that may be passed on: numbers and codes of how a scan was taken.

Free texts, names, dates, times, UIDs and numbers of devices are not among them. Codes are compared
with what the standard defines, so that nothing hides in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydicom.dataset import Dataset

from wirbel.ingest.headers.element_values import number, sequence, text, texts

SECONDS = ("RepetitionTime", "EchoTime")
"""DICOM has these in ms, BIDS in s."""
NUMBERS = {
    "MagneticFieldStrength": ("MagneticFieldStrength",),
    "RepetitionTime": ("RepetitionTime",),
    "EchoTime": ("EchoTime", "EffectiveEchoTime"),
    "FlipAngle": ("FlipAngle",),
    "EchoTrainLength": ("EchoTrainLength",),
    "NumberOfAverages": ("NumberOfAverages",),
    "PixelBandwidth": ("PixelBandwidth",),
    "SliceThickness": ("SliceThickness",),
    "SpacingBetweenSlices": ("SpacingBetweenSlices",),
}
"""BIDS name -> DICOM keywords, that of enhanced images last."""
CODES = {
    "Modality": ("MR",),
    "MRAcquisitionType": ("1D", "2D", "3D"),
    "ScanningSequence": ("SE", "IR", "GR", "EP", "RM"),
    "SequenceVariant": ("SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "NONE"),
    "ImageType": (
        "ORIGINAL",
        "DERIVED",
        "PRIMARY",
        "SECONDARY",
        "M",
        "ND",
        "NORM",
        "DIS2D",
        "OTHER",
    ),
}
"""DICOM keyword -> the values that are passed on (DICOM PS3.3, C.8.3.1)."""
SINGLE = ("Modality", "MRAcquisitionType")
"""Codes of which there is one."""
VENDORS = ("Siemens", "GE", "Philips", "Canon", "Toshiba", "United Imaging", "Hitachi", "simulated")
"""Vendors, by which `Manufacturer` begins in any case of letters; others are not passed on."""
ALLOWED = (*NUMBERS, *CODES, "Manufacturer")
"""All that reaches a result."""


def facts_of(dataset: Dataset, groups: Iterable[Dataset] = ()) -> dict[str, Any]:
    """Return BIDS name -> value of what may be passed on.

    Parameters
    ----------
    dataset : Dataset
        A header.
    groups : iterable of Dataset
        Functional groups of an enhanced image.

    Examples
    --------
    >>> header = Dataset()
    >>> header.EchoTime, header.PatientName, header.Manufacturer = 101, "Doe^Jane", "SIEMENS"
    >>> facts_of(header)
    {'EchoTime': 0.101, 'Manufacturer': 'Siemens'}
    """
    places = [dataset, *(part for group in groups for part in _parts(group))]
    found: dict[str, Any] = {}
    for name, keywords in NUMBERS.items():
        values = [v for k in keywords for place in places if (v := number(place, k)) is not None]
        if values:
            found[name] = round(values[0] / (1000 if name in SECONDS else 1), 6)
    for keyword, known in CODES.items():
        codes = [code for code in texts(dataset, keyword) if code in known]
        if codes:
            found[keyword] = codes if keyword not in SINGLE else codes[0]
    maker = text(dataset, "Manufacturer").casefold()
    vendor = next((name for name in VENDORS if maker.startswith(name.casefold())), None)
    return found | ({"Manufacturer": vendor} if vendor else {})


def facts_of_sidecar(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be passed on of a BIDS sidecar, by the same rules.

    Examples
    --------
    >>> facts_of_sidecar({"EchoTime": 0.101, "PatientName": "Doe^Jane", "Modality": "MR"})
    {'EchoTime': 0.101, 'Modality': 'MR'}
    """
    found: dict[str, Any] = {}
    for name in NUMBERS:
        value = content.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = round(float(value), 6)
    for keyword, known in CODES.items():
        value = content.get(keyword)
        codes = [one for one in (value if isinstance(value, list) else [value]) if one in known]
        if codes:
            found[keyword] = codes if keyword not in SINGLE else codes[0]
    maker = str(content.get("Manufacturer", "")).casefold()
    vendor = next((name for name in VENDORS if maker.startswith(name.casefold())), None)
    return found | ({"Manufacturer": vendor} if vendor else {})


def _parts(group: Dataset) -> list[Dataset]:
    """Return the sequences of a functional group that hold numbers of NUMBERS."""
    names = ("PixelMeasuresSequence", "MRTimingAndRelatedParametersSequence", "MREchoSequence")
    return [part for name in names for part in sequence(group, name)[:1]]
