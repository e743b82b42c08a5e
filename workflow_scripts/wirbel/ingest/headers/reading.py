"""Read the header of a DICOM file from a stream: never its pixels, never more than REACHES."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Collection
from typing import IO, Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial

from wirbel.errors import InfrastructureError, ScanError
from wirbel.ingest.archive_kinds import HEAD_BYTES
from wirbel.ingest.archives import Member
from wirbel.ingest.headers.element_values import floats, integer, number, sequence, text, texts
from wirbel.ingest.headers.facts import facts_of
from wirbel.ingest.headers.header import DicomHeader
from wirbel.ingest.headers.repeats import PIXELS, Repeats
from wirbel.io.atomic import MACHINE_ERRORS

MAGIC_AT, MAGIC = 128, b"DICM"
REACHES = (HEAD_BYTES, 32 * 1024, 256 * 1024, 64 * 1024**2)
"""How far a file is read, as long as its header goes on: what `Member` has read anyway; most slices of most scanners;
those with protocols in private elements; enhanced images of a thousand frames with private elements in each."""
FEWEST_BYTES = 16
"""Of compressed pixels."""
DEFLATED = b"1.2.840.10008.1.2.1.99"
"""Transfer syntax of a compressed header, which could unpack to anything."""
MR_IMAGES = ("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1")
"""SOP classes of MR images and enhanced MR images."""
UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")

# What pydicom says about a header repeats its values.
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE


def is_dicom(head: bytes) -> bool:
    """Return True if a file begins as DICOM files do."""
    return head[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC


def read_header(
    member: Member, without_facts: Collection[str] = (), repeats: Repeats | None = None
) -> DicomHeader | None:
    """Return the header of an image; None for a file that is not DICOM, or has no pixels.

    Parameters
    ----------
    member : Member
        The file.
    without_facts : collection of str
        UIDs of series whose facts are known already, or not asked for: it takes a third of the time.
    repeats : Repeats, optional
        Headers of the delivery so far. One that repeats one of these has no facts, and is not read by pydicom.

    Raises
    ------
    ScanError
        "unreadable" if the header is damaged.
    """
    if not is_dicom(member.head):
        return None
    if DEFLATED in member.head:
        raise ScanError("unreadable", "a DICOM file is deflated as a whole: store it uncompressed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            content, known = _repeated(member, repeats)
            if known is not None:
                return known
            content, dataset, pixels_at = _read(member, content)
            if pixels_at is None and _should_have_pixels(dataset):
                raise _damaged()
            if pixels_at is None:
                return None
            header, pixel_bytes = _header(member, dataset, pixels_at, without_facts)
            if repeats is not None:
                repeats.learn(member, content, header, pixel_bytes)
            return header
        except (InfrastructureError, MemoryError, ScanError):
            raise
        except OSError as error:
            if error.errno in MACHINE_ERRORS:
                raise
            raise _damaged() from None
        except (
            Exception
        ):  # whatever a damaged header leads pydicom to; its words would repeat values
            raise _damaged() from None


def _repeated(member: Member, repeats: Repeats | None) -> tuple[bytes, DicomHeader | None]:
    """Return what was read, and the header if it repeats a known one."""
    content = b""
    if repeats is None:
        return content, None
    for reach in REACHES[:2]:
        content += member.read(reach - len(content))
        if (known := repeats.header(member, content)) is not None:
            return content, known
    return content, None


def _should_have_pixels(dataset: Dataset) -> bool:
    """Whether a file is of a kind that has pixels, so that it was cut short where it has none."""
    meta = getattr(dataset, "file_meta", Dataset())
    kind = text(meta, "MediaStorageSOPClassUID") or text(dataset, "SOPClassUID")
    return kind in MR_IMAGES


def _damaged() -> ScanError:
    return ScanError("unreadable", "a DICOM file has a damaged header: export it again")


def _read(member: Member, content: bytes) -> tuple[bytes, Dataset, int | None]:
    """Return what was read, the elements before the pixels, and where these begin; None without pixels.

    `content` was read already.
    """
    for reach in REACHES[1:]:
        content += member.read(max(reach - len(content), 0))
        is_all = len(content) < reach or reach == REACHES[-1]
        try:
            dataset, pixels_at = _parsed(io.BytesIO(content))
        except Exception:  # what was read may end in the middle of an element
            if is_all:
                raise
            continue
        if pixels_at is not None or is_all:
            break
    return content, dataset, pixels_at


def _parsed(stream: IO[bytes]) -> tuple[Dataset, int | None]:
    found: list[bool] = []

    def at_pixels(tag: Any, vr: Any, length: Any) -> bool:
        if int(tag) in PIXELS:
            found.append(True)
        return bool(found)

    dataset = read_partial(stream, stop_when=at_pixels)  # type: ignore[arg-type]
    return dataset, stream.tell() if found else None


def _header(
    member: Member, dataset: Dataset, pixels_at: int, without_facts: Collection[str]
) -> tuple[DicomHeader, int]:
    """Return the header, and how many bytes its pixels need at least."""
    frames = max(integer(dataset, "NumberOfFrames") or 1, 1)
    shared = sequence(dataset, "SharedFunctionalGroupsSequence")[:1]
    each = sequence(dataset, "PerFrameFunctionalGroupsSequence")
    groups = [*shared, *each[:1]]
    series = text(dataset, "SeriesInstanceUID")
    rows, columns = integer(dataset, "Rows") or 0, integer(dataset, "Columns") or 0
    pixel_bytes = _pixel_bytes(dataset, rows * columns * frames)
    header = DicomHeader(
        place=member.place,
        series=series,
        instance=text(dataset, "SOPInstanceUID"),
        patient=text(dataset, "PatientID"),
        series_number=integer(dataset, "SeriesNumber"),
        description=text(dataset, "SeriesDescription"),
        protocol=text(dataset, "ProtocolName"),
        modality=text(dataset, "Modality"),
        sop_class=text(dataset, "SOPClassUID"),
        image_type=texts(dataset, "ImageType"),
        echo_time_ms=_first(dataset, groups, "EchoTime", "MREchoSequence", "EffectiveEchoTime"),
        pixel_mm=_several(dataset, groups, "PixelSpacing", "PixelMeasuresSequence"),
        slice_mm=_first(dataset, groups, "SliceThickness", "PixelMeasuresSequence"),
        rows=rows,
        columns=columns,
        directions=_several(dataset, groups, "ImageOrientationPatient", "PlaneOrientationSequence"),
        positions=_positions(dataset, shared, each),
        frames=frames,
        is_captured=bool(text(dataset, "ConversionType")) or text(dataset, "Modality") == "OT",
        is_cut_short=member.size - pixels_at < pixel_bytes,
        facts={} if series in without_facts else facts_of(dataset, groups),
    )
    return header, pixel_bytes


def _several(dataset: Dataset, groups: list[Dataset], name: str, group: str) -> tuple[float, ...]:
    """Return the numbers of an element, from the header or from an enhanced image's groups."""
    found = floats(dataset, name)
    for one in groups:
        for part in sequence(one, group)[:1]:
            found = found or floats(part, name)
    return found


def _first(
    dataset: Dataset, groups: list[Dataset], name: str, group: str, other: str = ""
) -> float | None:
    found = number(dataset, name)
    for one in groups:
        for part in sequence(one, group)[:1]:
            found = number(part, other or name) if found is None else found
    return found


def _positions(
    dataset: Dataset, shared: list[Dataset], each: list[Dataset]
) -> tuple[tuple[float, float, float], ...]:
    """Return the position of every frame; empty unless all have one."""
    own = floats(dataset, "ImagePositionPatient")
    found = [own] if own else []
    for frame in each if not found else ():
        part = sequence(frame, "PlanePositionSequence")[:1]
        found.append(floats(part[0], "ImagePositionPatient") if part else ())
    if not found or any(len(position) != 3 for position in found):
        return ()
    return tuple((p[0], p[1], p[2]) for p in found)


def _pixel_bytes(dataset: Dataset, pixels: int) -> int:
    """Return how many bytes uncompressed pixels need; of compressed ones, what any of them needs."""
    meta = getattr(dataset, "file_meta", Dataset())
    if text(meta, "TransferSyntaxUID") not in UNCOMPRESSED:
        return FEWEST_BYTES
    bits = (integer(dataset, "BitsAllocated") or 0) * (integer(dataset, "SamplesPerPixel") or 1)
    return pixels * bits // 8
