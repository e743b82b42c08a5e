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
from typing import NamedTuple

from wirbel.ingest.archives import Member
from wirbel.ingest.headers.header import DicomHeader

FIRST_ELEMENT, DATA_SET = 132, 0x00030000
"""Where the elements begin, and the first tag behind the file's own, which say how the others are written."""
INSTANCE, POSITION = 0x00080018, 0x00200032
PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
"""Float, double and integer pixel data."""
COMPARED = frozenset(
    (
        *(0x00020002, 0x00020010),  # SOP class and transfer syntax of the file
        *(0x00080005, 0x00080008, 0x00080016, 0x00080060, 0x00080064, 0x0008103E),
        0x00100020,  # patient
        *(0x00180050, 0x00180081, 0x00181030),  # slice thickness, echo time, protocol
        *(0x0020000E, 0x00200011, 0x00200037),  # series: UID, number; orientation
        *(0x00280002, 0x00280008, 0x00280010, 0x00280011, 0x00280030, 0x00280100),
    )
)
"""All that `wirbel.ingest.headers.reading` looks at, but for INSTANCE, POSITION and what GROUPS hold."""
LOOKED_AT = COMPARED | {INSTANCE, POSITION}
LAST = max(LOOKED_AT)
"""Elements are sorted by their tags: nothing is read of those that follow."""
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


class Walked(NamedTuple):
    """What the beginning of a file has: values that are compared, and all looked at, by tag.

    The rest are elements that nothing is read of: where they begin, and their tags and lengths. `pixels_at` is where
    the pixels begin; None if the last element of the rest goes on behind what was read.
    """

    compared: tuple[tuple[int, bytes], ...]
    values: dict[int, bytes]
    rest_at: int
    rest: list[tuple[int, int]]
    pixels_at: int | None


class Known(NamedTuple):
    """A header that pydicom has read, how many bytes its pixels need, how long the rest of its file is, and its tags
    and lengths.
    """

    header: DicomHeader
    pixel_bytes: int
    rest_bytes: int
    rest: frozenset[tuple[int, int]]


class Repeats:
    """What is known of a delivery's headers by their bytes."""

    def __init__(self) -> None:
        self._known: dict[tuple, list[Known]] = {}

    def header(self, member: Member, content: bytes) -> DicomHeader | None:
        """Return the header of a file that begins with `content`; None if that tells of none that it repeats.

        Private elements can have 100 kB in each slice, which take most of the time to unpack. Where one of them goes on
        behind `content`, the file is as whole as the known one if this element and the rest of the file are as long.
        """
        seen = _walked(content) if self._known else None
        if seen is None or seen.compared not in self._known:
            return None
        instance, position = seen.values.get(INSTANCE, b""), seen.values.get(POSITION, b"")
        if not (UID.fullmatch(instance) and PLACE.fullmatch(position)):
            return None
        known = self._known[seen.compared]
        if seen.pixels_at is not None:
            header = known[0].header
            is_cut_short = member.size - seen.pixels_at < known[0].pixel_bytes
        else:
            rest_bytes, last = member.size - seen.rest_at, seen.rest[-1]
            same = [one for one in known if one.rest_bytes == rest_bytes and last in one.rest]
            if not same:
                return None
            header, is_cut_short = same[0].header, same[0].header.is_cut_short
        x, y, z = map(float, position.split(b"\\"))
        return replace(
            header,
            place=member.place,
            instance=instance.rstrip(b"\0").decode(),
            positions=((x, y, z),),
            is_cut_short=is_cut_short,
            facts={},
        )

    def learn(self, member: Member, content: bytes, header: DicomHeader, pixel_bytes: int) -> None:
        """Remember a header that pydicom has read; `pixel_bytes` is what its pixels need."""
        seen = _walked(content) if len(header.positions) == 1 else None
        if seen is not None and seen.pixels_at is not None:
            rest_bytes = member.size - seen.rest_at
            known = Known(header, pixel_bytes, rest_bytes, frozenset(seen.rest))
            self._known.setdefault(seen.compared, []).append(known)


def _walked(content: bytes) -> Walked | None:
    """Return what a file begins with; None for another kind of file, or if it goes on with elements that count."""
    found: dict[int, bytes] = {}
    rest: list[tuple[int, int]] = []
    at, rest_at = FIRST_ELEMENT, 0
    pixels_at: int | None = None
    explicit = False
    try:
        while True:
            tag, start, length = _element(content, at)
            if tag in PIXELS:
                pixels_at = at
                break
            explicit = explicit or (tag >= DATA_SET and _is_explicit(found))
            if tag in GROUPS or (tag >= DATA_SET and not explicit):
                return None
            if tag > LAST:
                rest_at = rest_at or at
                rest.append((tag, length))
            at = _after_sequence(content, start) if length == OPEN else start + length
            if at > len(content):
                break
            if tag in LOOKED_AT:
                found[tag] = content[start:at]
    except (struct.error, ValueError, RecursionError):  # the last for a thousand nested sequences
        return None
    if pixels_at is None and not rest:
        return None
    compared = tuple((tag, value) for tag, value in found.items() if tag in COMPARED)
    return Walked(compared, found, rest_at or at, rest, pixels_at)


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
