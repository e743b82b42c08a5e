"""Deliveries as other systems pack them, and as they look while they are copied."""

import io
import zipfile

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from support.deliveries.series import series, tarred, volume
from unit.test_ingest_delivery import ANY, assert_is

from wirbel.errors import ScanError
from wirbel.ingest.delivery import convert

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(100)


@pytest.fixture
def slices(tmp_path):
    """The files of a series: their contents."""
    folder = series(tmp_path / "files")
    return [path.read_bytes() for path in sorted(folder.glob("*.dcm"))]


def packed(path, names, contents, *others):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*zip(names, contents, strict=True), *others]:
            archive.writestr(name, content)
    return path


def dicomdir():
    """The table of contents of a DICOM disc: DICOM, but no image."""
    disc = Dataset()
    disc.FileSetID, disc.file_meta = "DISC", FileMetaDataset()
    disc.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    disc.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    disc.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    stream = io.BytesIO()
    disc.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def umlauts_and_blanks(folder, slices):
    return packed(folder / "Müller  (1).zip", [f"Wirbelsäule/{i}" for i in range(5)], slices)


def windows(folder, slices):
    """Names with backslashes, and an extension in capitals."""
    return packed(folder / "A.ZIP", [f"HWS\\T2\\{i}.IMA" for i in range(5)], slices)


def a_disc(folder, slices):
    names = [f"DICOM/PA000000/ST000000/SE000000/IM{i:06}" for i in range(5)]
    return packed(folder / "disc.zip", names, slices, ("DICOMDIR", dicomdir()))


def a_mac(folder, slices):
    names = [f"{i}.dcm" for i in range(5)]
    ghosts = [(f"__MACOSX/._{name}", APPLE_DOUBLE) for name in names]
    return packed(folder / "mac.zip", names, slices, *ghosts, (".DS_Store", b"\0\0\0\1Bud1"))


def a_folder_of_a_desktop(folder, slices):
    for i, content in enumerate(slices):
        (folder / f"IM{i}").write_bytes(content)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0" * 10)
    (folder / "still empty").touch()
    return folder


def a_tar_called_zip(folder, slices):
    return tarred(folder / "tar.zip", folder.parent / "files", mode="w")


def no_extension(folder, slices):
    return packed(folder / "7712", [f"{i}" for i in range(5)], slices)


def one_name_for_all(folder, slices):
    with pytest.warns(UserWarning, match="Duplicate name"):
        return packed(folder / "a.zip", ["IM1"] * 5, slices)


def implicit(folder, slices):
    """The transfer syntax without kinds of values, which old archives store."""
    for i, content in enumerate(slices):
        image = dcmread(io.BytesIO(content))
        image.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
        image.save_as(folder / f"{i}", implicit_vr=True, little_endian=True)
    return folder


WAYS = [
    *(umlauts_and_blanks, windows, a_disc, a_mac, a_folder_of_a_desktop, a_tar_called_zip),
    *(no_extension, one_name_for_all, implicit),
]


@pytest.mark.parametrize("way", WAYS)
def test_a_series_arrives_however_it_is_packed(tmp_path, slices, way):
    (tmp_path / "in").mkdir()
    found = convert([way(tmp_path / "in", slices)], ANY)
    assert_is(found, volume())
    assert found.notes == []


@pytest.mark.parametrize("content", [b"", bytes(10_000)], ids=["empty", "only room made for it"])
def test_an_archive_that_is_being_copied_is_named_as_such(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ScanError, match="is empty, or begins with zeros: it is being copied") as e:
        convert([tmp_path / "a.zip"], ANY)
    assert e.value.reason == "archive_damaged"
