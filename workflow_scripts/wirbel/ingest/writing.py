"""Write a volume as a DICOM series, as a scanner would: for simulated deliveries."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from wirbel.core.geometry import Volume, reorient
from wirbel.io.atomic import atomic_path

MR_IMAGE, ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
"""SOP classes of one slice, and of all slices in one file."""
SLICES_LAST = ("P", "I", "L")
"""Rows of a sagittal slice grow to the back, columns downwards; slices are written from right to left."""
TO_LPS = np.diag([-1.0, -1.0, 1.0])
"""RAS (nibabel) -> LPS (DICOM)."""
COMPRESSION = zipfile.ZIP_DEFLATED
HIGHEST = 4095
"""Scanners store 12 bits."""
FEWEST_LEVELS = 100
"""Images that are less bright, or brighter than HIGHEST, are scaled to 12 bits; others are stored as they are."""


@dataclass(frozen=True)
class SeriesInfo:
    """What a header says besides geometry.

    Attributes
    ----------
    description : str
        SeriesDescription.
    number : int
        SeriesNumber.
    identity : str
        What UIDs are made from; other identities give other UIDs.
    echo_time_ms, repetition_time_ms : float
        In ms.
    image_type : sequence of str
        ImageType.
    more : mapping
        Further elements by keyword, such as PatientName.
    private : mapping
        Private elements: (group, element) -> text.
    axes : tuple of str
        Directions in which columns, rows and slices grow. Default: sagittal slices.
    """

    description: str
    number: int = 1
    identity: str = "phantom"
    echo_time_ms: float = 101.0
    repetition_time_ms: float = 3760.0
    image_type: Sequence[str] = ("ORIGINAL", "PRIMARY", "M", "ND")
    more: Mapping[str, Any] = field(default_factory=dict)
    private: Mapping[tuple[int, int], str] = field(default_factory=dict)
    axes: tuple[str, str, str] = SLICES_LAST


def write_series(folder: str | Path, volume: Volume, info: SeriesInfo) -> list[Path]:
    """Write one file per slice (MR Image Storage).

    Parameters
    ----------
    folder : str or Path
        Where to write; files are called 0001.dcm and so on.
    volume : Volume
        Array of shape (i, j, k) in any orientation, values from 0 on; affine voxel -> RAS+ mm.
    info : SeriesInfo
        What the headers say.

    Returns
    -------
    list of Path
        The files, from the patient's right to the left.
    """
    pixels, upright = _pixels(volume, info.axes)
    paths = []
    for number in range(pixels.shape[2]):
        slice_ = _common(upright, info, MR_IMAGE, f"{info.identity} {info.number} {number}")
        slice_.InstanceNumber = number + 1
        slice_.ImageOrientationPatient = _directions(upright)
        slice_.PixelSpacing = _pixel_spacing(upright)
        slice_.SliceThickness = _decimal(upright.spacing_mm[2])
        slice_.SpacingBetweenSlices = _decimal(upright.spacing_mm[2])
        slice_.ImagePositionPatient = _position(upright, number)
        slice_.EchoTime = _decimal(info.echo_time_ms)
        slice_.PixelData = np.ascontiguousarray(pixels[:, :, number].T).tobytes()
        paths.append(Path(folder, f"{number + 1:04}.dcm"))
        _save(slice_, paths[-1])
    return paths


def write_zipped(path: str | Path, volume: Volume, info: SeriesInfo) -> Path:
    """Write a series as `write_series` does, into a zip archive; the same series gives the same bytes.

    Parameters
    ----------
    path : str or Path
        The archive.
    volume, info : Volume, SeriesInfo
        As of `write_series`.
    """
    with (
        TemporaryDirectory() as folder,
        atomic_path(path) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):
        for file in write_series(folder, volume, info):
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes(), COMPRESSION)
    return Path(path)


def write_enhanced(path: str | Path, volume: Volume, info: SeriesInfo) -> Path:
    """Write all slices as one file (Enhanced MR Image Storage); arguments as of `write_series`."""
    pixels, upright = _pixels(volume, info.axes)
    image = _common(upright, info, ENHANCED_MR_IMAGE, f"{info.identity} {info.number} enhanced")
    image.InstanceNumber, image.NumberOfFrames = 1, pixels.shape[2]
    measures, plane, echo, shared = Dataset(), Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = _pixel_spacing(upright)
    measures.SliceThickness = measures.SpacingBetweenSlices = _decimal(upright.spacing_mm[2])
    plane.ImageOrientationPatient = _directions(upright)
    echo.EffectiveEchoTime = float(info.echo_time_ms)
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    shared.MREchoSequence = [echo]
    image.SharedFunctionalGroupsSequence = [shared]
    image.PerFrameFunctionalGroupsSequence = [
        _frame(upright, number) for number in range(pixels.shape[2])
    ]
    image.PixelData = np.ascontiguousarray(pixels.transpose(2, 1, 0)).tobytes()
    _save(image, Path(path))
    return Path(path)


def _frame(upright: Volume, number: int) -> Dataset:
    """Return the functional groups of a frame."""
    frame, place, content = Dataset(), Dataset(), Dataset()
    place.ImagePositionPatient = _position(upright, number)
    content.StackID, content.InStackPositionNumber = "1", number + 1
    content.DimensionIndexValues = [1, number + 1]
    frame.PlanePositionSequence, frame.FrameContentSequence = [place], [content]
    return frame


def _common(upright: Volume, info: SeriesInfo, sop_class: str, identity: str) -> Dataset:
    """Return what headers of both kinds hold."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = UID(sop_class)
    instance = generate_uid(entropy_srcs=[identity, "instance"])
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = instance
    image.SeriesInstanceUID = generate_uid(entropy_srcs=[info.identity, str(info.number), "series"])
    image.StudyInstanceUID = generate_uid(entropy_srcs=[info.identity, "study"])
    image.FrameOfReferenceUID = generate_uid(entropy_srcs=[info.identity, "frame"])
    image.Modality, image.Manufacturer = "MR", "simulated"
    image.SeriesDescription, image.SeriesNumber = info.description, info.number
    image.ImageType = list(info.image_type)
    image.ScanningSequence, image.SequenceVariant = "SE", "SK"
    image.MRAcquisitionType, image.RepetitionTime = "2D", _decimal(info.repetition_time_ms)
    image.Columns, image.Rows = (int(n) for n in upright.data.shape[:2])
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelRepresentation = 0
    for keyword, value in info.more.items():
        setattr(image, keyword, value)
    for (group, element), value in info.private.items():
        block = image.private_block(group, "SIMULATED", create=True)
        block.add_new(element, "LO", value)
    return image


def _pixels(volume: Volume, axes: tuple[str, str, str]) -> tuple[np.ndarray, Volume]:
    """Return 12-bit pixels (column, row, slice), and the volume with such axes."""
    upright = reorient(volume, axes)
    highest = max(float(upright.data.max()), 1e-9)
    factor = 1.0 if FEWEST_LEVELS <= highest <= HIGHEST else HIGHEST / highest
    pixels = np.clip(np.rint(upright.data * factor), 0, HIGHEST).astype("<u2")
    return pixels, upright


def _directions(upright: Volume) -> list[str]:
    axes = TO_LPS @ upright.affine[:3, :3] / upright.spacing_mm
    return [_decimal(value) for value in (*axes[:, 0], *axes[:, 1])]


def _position(upright: Volume, number: int) -> list[str]:
    place = TO_LPS @ (upright.affine @ [0, 0, number, 1])[:3]
    return [_decimal(value) for value in place]


def _pixel_spacing(upright: Volume) -> list[str]:
    """Return the distances between rows and between columns."""
    return [_decimal(upright.spacing_mm[1]), _decimal(upright.spacing_mm[0])]


def _decimal(value: float) -> str:
    """Return a number as DICOM's decimal string, which has at most 16 characters."""
    return f"{float(value):.9g}"


def _save(image: Dataset, path: Path) -> None:
    with atomic_path(path) as temporary:
        image.save_as(temporary, enforce_file_format=True)
