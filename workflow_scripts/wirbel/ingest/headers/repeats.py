"""Headers of slices that repeat an earlier one of their series: recognised by their bytes, without pydicom.

Slices of a series differ in little but the image's UID and its position. A header whose other elements are byte for
byte those of one that pydicom has read means the same, so that only these two are read. The elements are walked
through as PS3.5, chapter 7, has them (explicit VR, little endian, as scanners write it); any other header is left to
pydicom.
"""

from __future__ import annotations

import re
import struct
from dataclasses import replace

from wirbel.ingest.archives import Member
from wirbel.ingest.headers.header import DicomHeader

FIRST_ELEMENT = 132
INSTANCE, POSITION = 0x00080018, 0x00200032
PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
"""Float, double and integer pixel data."""
COMPARED = frozenset(
    (
        *(0x00020002, 0x00020010),  # SOP class and transfer syntax of the file
        *(0x00080005, 0x00080008, 0x00080016, 0x00080060, 0x00080064, 0x0008103E),
        *(0x00180050, 0x00180081, 0x00181030),  # slice thickness, echo time, protocol
        *(0x0020000E, 0x00200011, 0x00200037),  # series: UID, number; orientation
        *(0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280030, 0x00280100),
    )
)
"""All that `wirbel.ingest.headers.reading` looks at, but for INSTANCE, POSITION and what GROUPS hold."""
GROUPS = (0x52009229, 0x52009230)
"""Functional groups of enhanced images."""
LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
"""Kinds of values whose length has four bytes."""
SHORT = tuple(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
ITEM, SEQUENCE_ENDS = 0xFFFEE000, 0xFFFEE0DD
ITEM_ENDS = b"\xfe\xff\x0d\xe0"
OPEN = 0xFFFFFFFF
"""Length of what ends with a mark of its own."""
EXPLICIT = b"1.2.840.10008.1.2.1"
UID = re.compile(rb"[0-9.]{1,64}\0?")
PLACE = re.compile(rb" *-?[0-9]+(\.[0-9]*)?(\\-?[0-9]+(\.[0-9]*)?){2} *")
"""Three numbers as scanners write them; any other spelling is left to pydicom."""


class Repeats:
    """What is known of a delivery's headers by their bytes."""

    def __init__(self) -> None:
        self._known: dict[tuple, tuple[DicomHeader, int]] = {}

    def header(self, member: Member, content: bytes) -> DicomHeader | None:
        """Return the header of a file that begins with `content`; None if it repeats no known one."""
        seen = _elements(content) if self._known else None
        if seen is None:
            return None
        known = self._known.get(seen[0])
        instance, position = seen[1].get(INSTANCE, b""), seen[1].get(POSITION, b"")
        if known is None or not (UID.fullmatch(instance) and PLACE.fullmatch(position)):
            return None
        x, y, z = map(float, position.split(b"\\"))
        return replace(
            known[0],
            place=member.place,
            instance=instance.rstrip(b"\0").decode(),
            positions=((x, y, z),),
            is_cut_short=member.size - seen[2] < known[1],
            facts={},
        )

    def learn(self, content: bytes, header: DicomHeader, pixel_bytes: int) -> None:
        """Remember a header that pydicom has read; `pixel_bytes` is what its pixels need."""
        if len(header.positions) == 1 and (seen := _elements(content)) is not None:
            self._known[seen[0]] = header, pixel_bytes


def _elements(content: bytes) -> tuple[tuple, dict[int, bytes], int] | None:
    """Return the compared elements, all looked at by tag, and where the pixels begin; None for another kind of file."""
    found: dict[int, bytes] = {}
    at = FIRST_ELEMENT
    try:
        while True:
            tag, start, length = _element(content, at)
            if tag in PIXELS:
                break
            if tag in GROUPS or (tag >> 16 > 2 and not _is_explicit(found)):
                return None
            if length == OPEN:
                at = _after_sequence(content, start)
                continue
            at = start + length
            if at > len(content):
                return None
            if tag in COMPARED or tag in (INSTANCE, POSITION):
                found[tag] = content[start:at]
    except (struct.error, ValueError, RecursionError):  # the last for a thousand nested sequences
        return None
    return tuple((t, v) for t, v in found.items() if t in COMPARED), found, at


def _is_explicit(found: dict[int, bytes]) -> bool:
    return found.get(0x00020010, b"").rstrip(b"\0") == EXPLICIT


def _element(content: bytes, at: int) -> tuple[int, int, int]:
    """Return tag, where the value begins, and its length; raises struct.error or ValueError."""
    group, element, kind, length = struct.unpack_from("<HH2sH", content, at)
    if kind in SHORT:
        return group << 16 | element, at + 8, length
    if kind not in LONG:
        raise ValueError
    return group << 16 | element, at + 12, struct.unpack_from("<I", content, at + 8)[0]


def _after_sequence(content: bytes, at: int) -> int:
    """Return where a sequence of open length ends."""
    while True:
        group, element, length = struct.unpack_from("<HHI", content, at)
        tag, at = group << 16 | element, at + 8
        if tag == SEQUENCE_ENDS:
            return at
        if tag != ITEM:
            raise ValueError
        at = _after_item(content, at) if length == OPEN else at + length


def _after_item(content: bytes, at: int) -> int:
    """Return where an item of open length ends."""
    while content[at : at + 4] != ITEM_ENDS:
        _, start, length = _element(content, at)
        at = _after_sequence(content, start) if length == OPEN else start + length
    return at + 8
