"""Archives that want to write elsewhere, pretend to be small, or are simply broken."""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zipfile

import pytest
from support.models.file_server import zipped

from wirbel.models.errors import ModelError
from wirbel.models.fetching import archive as archives
from wirbel.models.fetching.archive import unpack


@pytest.fixture
def attempt(tmp_path):
    """Unpack bytes as an archive; what was written, by name, or the refusal."""

    def run(content: bytes) -> dict[str, bytes]:
        (tmp_path / "a.zip").write_bytes(content)
        unpack(tmp_path / "a.zip", tmp_path / "new")
        found = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
        return {path.relative_to(tmp_path / "new").as_posix(): path.read_bytes() for path in found}

    yield run
    assert {path.name for path in tmp_path.iterdir()} <= {"a.zip", "new"}, "nothing outside"


def archive(*names: str, mode: int = 0, content: bytes = b"x", flags: int = 0) -> bytes:
    """Return an archive with these names exactly as given, each with a file type and flags."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names that occur twice
        for name in names:
            entry = zipfile.ZipInfo("placeholder")
            entry.filename = entry.orig_filename = name
            entry.external_attr = mode << 16
            opened.writestr(entry, content)
            entry.flag_bits |= flags
    return stream.getvalue()


def test_files_and_folders_are_unpacked_and_a_macs_additions_left_out(attempt):
    content = {"a/b.txt": b"1", "a/c/d.bin": b"2", "__MACOSX/a/._b.txt": b"?", "a/.DS_Store": b"?"}
    assert attempt(zipped({**content, "empty/": b""})) == {"a/b.txt": b"1", "a/c/d.bin": b"2"}


@pytest.mark.parametrize(
    "name",
    [
        "/etc/x",
        "../x",
        "a/../../x",
        "a/./x",
        "a//x",
        "..",
        "C:/x",
        "a\\..\\x",
        "a\nb",
        "a\0.txt",
        "",
    ],
)
def test_a_path_that_leads_outside_is_refused(attempt, name):
    with pytest.raises(ModelError, match=r"refused at .* leads out of the archive"):
        attempt(archive("good", name))


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK]
)
def test_links_and_devices_are_refused(attempt, kind):
    with pytest.raises(ModelError, match="refused at 'it': it is a link or a device"):
        attempt(archive("it", mode=kind | 0o777, content=b"/etc/passwd"))


def test_set_user_and_executable_bits_are_not_kept(attempt, tmp_path):
    attempt(archive("tool", mode=stat.S_IFREG | 0o4777))
    assert not (tmp_path / "new/tool").stat().st_mode & 0o7111
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o777 & ~_umask(), "others may read it"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    "names",
    [("a", "a"), ("a", "A"), ("\u00e9", "e\u0301"), ("a", "a/b"), ("a/b", "A"), ("a/", "a")],
)
def test_names_that_meet_are_refused(attempt, names):
    with pytest.raises(ModelError, match="occurs twice"):
        attempt(archive(*names, content=b""))


def test_a_bomb_is_refused_before_anything_is_written(attempt, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 1000)
    with pytest.raises(ModelError, match="would unpack to 1000000, expected at most"):
        attempt(zipped({"zeros": bytes(1_000_000)}))
    monkeypatch.setattr(archives, "MOST_BYTES", 5)
    with pytest.raises(ModelError, match="would unpack to 6, expected at most 5"):
        attempt(zipped({"six": b"123456"}))
    monkeypatch.setattr(archives, "MOST_FILES", 2)
    with pytest.raises(ModelError, match="3 files, expected at most 2"):
        attempt(zipped(dict.fromkeys("abc", b"")))
    assert not (tmp_path / "new").exists()


def test_a_size_that_is_not_the_declared_one_is_noticed(attempt):
    """The directory at the end of the file claims 10 bytes; 100,000 come out."""
    content = bytearray(zipped({"a": bytes(100_000)}))
    start = content.rindex(b"PK\x01\x02")
    content[start + 24 : start + 28] = struct.pack("<I", 10)
    with pytest.raises(ModelError, match="damaged|complete|declares"):
        attempt(bytes(content))


def test_encrypted_and_oddly_packed_entries_are_refused(attempt):
    with pytest.raises(ModelError, match="encrypted"):
        attempt(archive("a", flags=0x1))
    content = bytearray(zipped({"a": b"x"}))
    start = content.rindex(b"PK\x01\x02")
    content[start + 10 : start + 12] = struct.pack("<H", 97)
    with pytest.raises(ModelError, match="unknown way"):
        attempt(bytes(content))


def test_what_is_no_archive_or_a_damaged_one_is_one_sentence(attempt):
    whole = zipped({"a": bytes(range(256)) * 40})
    flipped = bytearray(whole)
    flipped[100] ^= 0xFF
    for content in (b"", b"<html>not found</html>", whole[:-30], whole[: len(whole) // 2], flipped):
        with pytest.raises(ModelError, match="archive") as caught:
            attempt(bytes(content))
        assert "\n" not in str(caught.value)
