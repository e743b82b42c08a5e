"""Gzip files are unpacked as they were packed, in bounded time whatever they hold."""

import gzip
import time
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wirbel.errors import ScanError
from wirbel.io.nifti import gzip_stream
from wirbel.io.nifti.gzip_stream import open_gzip
from wirbel.io.nifti.volumes import read_volume, write_volume


def read_in_pieces(path, sizes):
    """Return the content, read in pieces of the given sizes and then whole."""
    with open_gzip(path) as stream:
        return b"".join([*map(stream.read, sizes), stream.read()])


@given(
    st.lists(st.binary(max_size=300), min_size=1, max_size=5),
    st.lists(st.integers(0, 200), max_size=4),
    st.integers(0, 40),
    st.integers(1, 100),
)
def test_any_members_with_zeros_between_are_read_as_pythons_gzip_does(
    tmp_path_factory, parts, sizes, zeros, piece_bytes
):
    path = tmp_path_factory.mktemp("packed") / "x.gz"
    path.write_bytes(b"".join(gzip.compress(part) + bytes(zeros) for part in parts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gzip_stream, "PIECE_BYTES", piece_bytes)
        assert read_in_pieces(path, sizes) == b"".join(parts)
        with gzip.open(path) as usual:
            assert usual.read() == b"".join(parts)


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:-9], lambda b: b[:12]])
def test_a_truncated_file_is_no_shorter_content(tmp_path, damage):
    path = tmp_path / "x.gz"
    path.write_bytes(damage(gzip.compress(bytes(range(256)))))
    with pytest.raises(EOFError):
        read_in_pieces(path, [])


@pytest.mark.parametrize(
    "after", [b"other", gzip.compress(b"more", mtime=0)[:-8] + bytes(8)], ids=["other", "wrong sum"]
)
def test_what_follows_is_a_member_with_a_right_checksum(tmp_path, after):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"content") + after)
    with pytest.raises(zlib.error):
        read_in_pieces(path, [])


def test_millions_of_empty_members_are_the_files_fault_within_a_second(tmp_path, volume):
    path = tmp_path / "sub-1_T2w.nii.gz"
    write_volume(path, volume)
    path.write_bytes(gzip.compress(b"") * 2_000_000 + path.read_bytes())
    began = time.process_time()
    with pytest.raises(
        ScanError, match=r"expected one gzip member, found more than 1,0\d\d with"
    ) as told:
        read_volume(path)
    assert told.value.reason == "unreadable" and path.name in str(told.value)
    assert time.process_time() - began < 5


def test_blocks_of_bgzip_are_read(tmp_path, volume, monkeypatch):
    path = tmp_path / "sub-1_T2w.nii.gz"
    write_volume(path, volume)
    content = gzip.decompress(path.read_bytes())
    monkeypatch.setattr(gzip_stream, "FREE_MEMBERS", 1)
    blocks = [content[at : at + 4096] for at in range(0, len(content), 4096)]
    path.write_bytes(b"".join(map(gzip.compress, blocks)) + gzip.compress(b""))
    assert np.array_equal(read_volume(path).data, volume.data)


@pytest.fixture
def volume():
    from wirbel.core.geometry import Volume

    values = np.arange(20 * 24 * 16, dtype=np.int16).reshape(20, 24, 16)
    return Volume(values, np.diag([3.3, 0.9, 0.9, 1.0]))
