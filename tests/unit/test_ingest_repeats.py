"""Slices that repeat the header before them are read without pydicom, with the same outcome."""

import random
from dataclasses import replace

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ImplicitVRLittleEndian
from support.deliveries.series import enhanced, series, volume, zipped

from wirbel.ingest.archives import Member
from wirbel.ingest.delivery import look_into
from wirbel.ingest.headers import reading

CHANGES = 300


def by_pydicom(path):
    """All headers as pydicom reads them, without facts."""
    found = look_into([path])
    return [replace(header, facts={}) for header in found.headers], found.faults, found.unreadable


def by_bytes(path):
    found = look_into([path], all_facts=False)
    return [replace(header, facts={}) for header in found.headers], found.faults, found.unreadable


@pytest.fixture
def folder(tmp_path):
    series(tmp_path / "a", image=volume(slices=6))
    return tmp_path / "a"


@pytest.fixture
def parsed(monkeypatch):
    """How many headers pydicom has read."""
    calls = []
    read = reading._parsed
    monkeypatch.setattr(reading, "_parsed", lambda stream: (calls.append(1), read(stream))[1])
    return calls


def rewritten(folder, change):
    """Change every file's data set."""
    for path in sorted(folder.glob("*.dcm")):
        image = dcmread(path)
        change(image)
        image.save_as(path, enforce_file_format=False)


def test_a_series_is_read_once(folder, parsed):
    found, *_ = by_bytes(folder)
    assert len(parsed) == 1
    assert len({header.instance for header in found}) == len({h.positions for h in found}) == 6
    assert found == by_pydicom(folder)[0]


@pytest.fixture
def long_headers(folder):
    """Every slice has a protocol of 50 kB among its private elements, as Siemens writes it."""
    rewritten(folder, lambda image: protocol(image, 50_000))
    return folder


def protocol(image, length):
    image.private_block(0x0029, "VENDOR", create=True).add_new(0x20, "OB", bytes(length))


def test_a_long_private_element_is_read_once(long_headers, parsed, monkeypatch):
    read, sizes = Member.read, []
    monkeypatch.setattr(
        Member, "read", lambda self, n: (sizes.append(got := read(self, n)), got)[1]
    )
    found = by_bytes(long_headers)
    assert sum(map(len, sizes)) < 2 * 50_000 < 6 * 50_000
    assert len(found[0]) == 6 and found == by_pydicom(long_headers)


def test_a_slice_that_ends_early_behind_a_long_element_is_noticed(long_headers):
    path = sorted(long_headers.glob("*.dcm"))[2]
    path.write_bytes(path.read_bytes()[:-100])
    found = by_bytes(long_headers)
    assert [header.is_cut_short for header in found[0]] == [False, False, True, False, False, False]
    assert found == by_pydicom(long_headers)


def test_long_elements_of_several_lengths(long_headers, parsed):
    """What is as long as one of those before it is not read again."""
    for number, path in enumerate(sorted(long_headers.glob("*.dcm"))):
        image = dcmread(path)
        protocol(image, 50_000 + 2 * (number % 2))
        image.save_as(path)
    found = by_bytes(long_headers)
    calls = len(parsed)
    assert found == by_pydicom(long_headers)
    assert calls < len(parsed) - calls


def test_nested_sequences_of_open_length_are_passed_over(folder, parsed):
    def change(image):
        inner, outer = Dataset(), Dataset()
        inner.CodeValue, outer.PurposeOfReferenceCodeSequence = "1", Sequence([inner])
        image.ReferencedImageSequence = Sequence([outer, outer])
        for one in (outer, inner):
            one.is_undefined_length_sequence_item = True
        for element in (image["ReferencedImageSequence"], outer["PurposeOfReferenceCodeSequence"]):
            element.is_undefined_length = True

    rewritten(folder, change)
    assert len(by_bytes(folder)[0]) == 6 and len(parsed) == 1
    assert by_bytes(folder) == by_pydicom(folder)


@pytest.mark.parametrize(
    "name, value",
    [("EchoTime", "99"), ("SeriesInstanceUID", "1.2.3"), ("Rows", 3), ("ImageType", ["DERIVED"])],
)
def test_a_slice_that_differs_is_read_in_full(folder, parsed, name, value):
    path = sorted(folder.glob("*.dcm"))[3]
    image = dcmread(path)
    setattr(image, name, value)
    image.save_as(path)
    assert by_bytes(folder)[0] == by_pydicom(folder)[0]
    assert len(parsed) == 2 + 6  # by bytes: the first and the one that differs


def test_other_spellings_and_kinds_are_left_to_pydicom(folder, tmp_path, parsed):
    def change(image):
        image.ImagePositionPatient = [f"{float(x):.6e}" for x in image.ImagePositionPatient]

    rewritten(folder, change)
    assert by_bytes(folder)[0] == by_pydicom(folder)[0] and len(parsed) == 12
    rewritten(
        folder, lambda image: setattr(image.file_meta, "TransferSyntaxUID", ImplicitVRLittleEndian)
    )
    assert by_bytes(folder)[0] == by_pydicom(folder)[0]
    many = enhanced(tmp_path / "many.dcm")
    assert by_bytes(many)[0] == by_pydicom(many)[0]


def test_damaged_slices_come_out_as_by_pydicom(folder, tmp_path):
    rng = random.Random(7)
    paths = sorted(folder.glob("*.dcm"))
    whole = [path.read_bytes() for path in paths]
    for _ in range(CHANGES):
        place = rng.randrange(1, len(paths))
        content = bytearray(whole[place])
        if rng.random() < 0.3:
            content = content[: rng.randrange(200, len(content))]
        for _ in range(rng.randrange(1, 4)):
            content[rng.randrange(140, min(len(content), 1500))] = rng.randrange(256)
        paths[place].write_bytes(content)
        assert _readable(by_bytes(folder)) == _readable(by_pydicom(folder))
        paths[place].write_bytes(whole[place])


def _readable(found):
    headers, faults, unreadable = found
    return headers, {number: fault.reason for number, fault in faults.items()}, unreadable


def test_an_archive_as_well(folder, tmp_path, parsed):
    archive = zipped(tmp_path / "a.zip", folder)
    assert len(by_bytes(archive)[0]) == 6 and len(parsed) == 1
