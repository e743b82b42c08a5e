"""The few things of a DICOM header that may be passed on: numbers and codes of how a scan was taken.

Free texts, names, dates, times, UIDs and numbers of devices are not among them. Codes are compared
with what the standard defines, so that nothing hides in them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from pydicom.dataset import Dataset

from wirbel.ingest.headers.element_values import number, sequence, text, texts
from wirbel.io.dataset.sidecar_facts import finite_number

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
        found |= _codes(keyword, texts(dataset, keyword), known)
    return found | _vendor(text(dataset, "Manufacturer"))


def facts_of_sidecar(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be passed on of a BIDS sidecar, by the same rules.

    Examples
    --------
    >>> facts_of_sidecar({"EchoTime": 0.101, "PatientName": "Doe^Jane", "Modality": "MR"})
    {'EchoTime': 0.101, 'Modality': 'MR'}
    """
    found: dict[str, Any] = {}
    for name in NUMBERS:
        if (value := finite_number(content.get(name))) is not None:
            found[name] = round(value, 6)
    for keyword, known in CODES.items():
        value = content.get(keyword)
        found |= _codes(keyword, value if isinstance(value, list) else [value], known)
    return found | _vendor(str(content.get("Manufacturer", "")))


def _codes(keyword: str, values: Iterable[Any], known: Collection[str]) -> dict[str, Any]:
    """Return keyword -> those of its values that may be passed on; nothing where there are none."""
    codes = [value for value in values if value in known]
    return {keyword: codes[0] if keyword in SINGLE else codes} if codes else {}


def _vendor(told: str) -> dict[str, str]:
    """Return the vendor that a header names; nothing where it is none of VENDORS."""
    maker = told.casefold()
    vendor = next((name for name in VENDORS if maker.startswith(name.casefold())), None)
    return {"Manufacturer": vendor} if vendor else {}


def _parts(group: Dataset) -> list[Dataset]:
    """Return the sequences of a functional group that hold numbers of NUMBERS."""
    names = ("PixelMeasuresSequence", "MRTimingAndRelatedParametersSequence", "MREchoSequence")
    return [part for name in names for part in sequence(group, name)[:1]]
