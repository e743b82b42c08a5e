"""Archives that are damaged, encrypted, nested or bombs are named as what they are, quickly and in little memory."""

import io
import struct
import tarfile
import tracemalloc
import zipfile

import pytest
from support.deliveries.series import series, tarred, zipped

from wirbel.errors import ScanError
from wirbel.ingest.archive_faults import MOST_MEMBERS
from wirbel.ingest.archives import members
from wirbel.ingest.delivery import convert
from wirbel.plan.series_rules import SeriesRules


def refused(path):
    with pytest.raises(ScanError) as caught:
        convert([path], SeriesRules())
    return caught.value.reason


@pytest.fixture
def archive(tmp_path):
    return zipped(tmp_path / "a.zip", series(tmp_path / "a"))


@pytest.fixture
def tar(tmp_path):
    return tarred(tmp_path / "a.tar.gz", series(tmp_path / "a"))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_a_truncated_archive_is_damaged(archive, tar, share):
    for path in (archive, tar):
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        assert refused(path) == "archive_damaged"


def test_a_flipped_bit_in_a_compressed_file_is_noticed(archive):
    content = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        entry = opened.infolist()[2]
    content[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2] ^= 0xFF
    archive.write_bytes(content)
    assert refused(archive) == "archive_damaged"


def test_an_encrypted_archive_is_one(archive):
    """Python cannot write one: the flag of encryption is set in both headers of each file."""
    content = bytearray(archive.read_bytes())
    for magic, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(magic)
        while at >= 0:
            content[at + flags_at] |= 1
            at = content.find(magic, at + 4)
    archive.write_bytes(content)
    assert refused(archive) == "archive_encrypted"


def test_an_archive_of_archives_is_one(tmp_path, archive):
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as outer:
        outer.write(archive, "inner.zip")
    assert refused(tmp_path / "outer.zip") == "archive_nested"


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        for number in range(3):
            bomb.writestr(f"{number}.dcm", bytes(100_000_000))
    tracemalloc.start()
    assert refused(tmp_path / "bomb.zip") == "archive_bomb"
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_tar_that_claims_more_than_a_session_is_a_bomb(tmp_path):
    entry = tarfile.TarInfo("x.dcm")
    entry.size = 10**12
    (tmp_path / "bomb.tar").write_bytes(entry.tobuf() + bytes(2048))
    assert refused(tmp_path / "bomb.tar") == "archive_bomb"


def test_an_archive_that_understates_its_sizes_is_read_no_further(tmp_path):
    path = tmp_path / "liar.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.dcm", bytes(10_000_000))
    content = bytearray(path.read_bytes())
    for magic, size_at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.find(magic) + size_at, 1000)
    path.write_bytes(content)
    assert refused(path) in ("archive_damaged", "no_dicom")


def test_too_many_files_are_a_bomb(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(MOST_MEMBERS + 1):
            archive.writestr(str(number), b"")
    assert refused(tmp_path / "many.zip") == "archive_bomb"


def test_other_archives_are_named(tmp_path):
    for magic, name in ((b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07", "RAR")):
        path = tmp_path / name
        path.write_bytes(magic + bytes(100))
        with pytest.raises(ScanError, match=f"is a {name} archive"):
            list(members([path]))


def test_one_damaged_archive_beside_the_series_is_only_noted(tmp_path, archive):
    (tmp_path / "b.zip").write_bytes(archive.read_bytes()[:500])
    found = convert([archive, tmp_path / "b.zip"], SeriesRules())
    assert found.notes == ["1 part of the delivery was left out (archive_damaged)"]


def test_one_damaged_archive_in_a_folder_spoils_no_other(tmp_path, archive):
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "0.zip").write_bytes(archive.read_bytes()[:500])
    archive.rename(tmp_path / "all" / "1.zip")
    assert convert([tmp_path / "all"], SeriesRules()).notes


def test_links_and_paths_out_of_an_archive_lead_nowhere(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        link = tarfile.TarInfo("../../etc/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        file = tarfile.TarInfo("../../../outside.dcm")
        file.size = 4
        archive.addfile(file, io.BytesIO(b"text"))
    assert [member.head for member in members([tmp_path / "a.tar"])] == [b"text"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar"]
