"""Files that are no scan are called what they are, and content that is not there is missed, not blamed."""

import gzip
import zipfile

import nibabel as nib
import numpy as np
import pytest

from wirbel.errors import InfrastructureError, ScanError
from wirbel.io.nifti.file_kinds import explain_open_errors
from wirbel.io.nifti.volumes import read_grid, read_volume

IMAGE = nib.Nifti1Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), np.diag([3.3, 1, 1, 1]))
PLAIN = IMAGE.to_bytes()
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 583196\n"
ANNEX = b"/annex/objects/MD5E-s583196--0123.nii.gz\n"
MGH = np.array([1, 4, 4, 4, 1, 3, 0], ">i4").tobytes() + bytes(300)


def refusal(path) -> ScanError:
    errors = []
    for read in (read_volume, read_grid):
        with pytest.raises(ScanError, match=path.name) as caught:
            read(path)
        assert str(path.parent) not in caught.value.detail
        errors.append(caught.value)
    assert errors[0].detail == errors[1].detail
    return errors[0]


def put(path, content: bytes):
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.nii.gz", PLAIN, "not gzipped; rename it to .nii"),
        ("a.nii", gzip.compress(PLAIN), "rename it to .nii.gz"),
        ("a.nii.gz", b"", "is empty"),
        ("a.nii.gz", gzip.compress(gzip.compress(PLAIN)), "a gzipped file"),
        ("a.nii", b"BZh9" + bytes(100), "bzip2"),
        ("a.nii.gz", b"<html>proxy error</html>", "a web page"),
        ("a.nii", bytes(128) + b"DICM" + bytes(900), "DICOM"),
        ("a.nii", MGH, "FreeSurfer"),
        ("a.nii", b"NRRD0004\n" + bytes(99), "NRRD"),
        ("a.nii", b"this is a text", "a text file"),
        ("a.nii", bytes(range(200)) * 3, "not a NIfTI file"),
        ("a.nii", PLAIN[:344] + b"\0\0\0\0" + PLAIN[348:], "magic"),
    ],
)
def test_a_file_that_is_none_is_called_what_it_is(tmp_path, name, content, words):
    error = refusal(put(tmp_path / name, content))
    assert error.reason == "unreadable"
    assert words in error.detail


def test_an_archive_is_called_one(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.nii", "w") as packed:
        packed.writestr("a.nii", PLAIN)
    assert "zip" in refusal(tmp_path / "a.nii").detail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (LFS, "git lfs pull"),
        (ANNEX, "git annex get"),
        (b"../../.git/annex/objects/ab/cd/MD5E-s5--01.nii.gz", "git annex get"),
    ],
)
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_pointer_is_content_that_is_missing(tmp_path, name, content, words):
    error = refusal(put(tmp_path / name, content))
    assert error.reason == "content_missing"
    assert words in error.detail


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (None, "does not exist"),
        ("nowhere", "a dangling link"),
        ("a.nii.gz", "a dangling link"),  # to itself
        ("../.git/annex/objects/ab/MD5E-s5--01.nii.gz", "git annex get"),
    ],
)
def test_a_link_that_leads_nowhere_is_content_that_is_missing(tmp_path, target, words):
    path = tmp_path / "a.nii.gz"
    if target:
        path.symlink_to(target)
    error = refusal(path)
    assert error.reason == "content_missing"
    assert words in error.detail


def failing(error: OSError):
    def action():
        raise error

    return action


def test_a_file_that_must_not_be_read_says_so(tmp_path):
    with pytest.raises(ScanError, match=r"a\.nii.*chmod") as caught:
        explain_open_errors(tmp_path / "a.nii", failing(PermissionError(13, "Permission denied")))
    assert caught.value.reason == "no_permission"


@pytest.mark.parametrize("number", [5, 116, 23])  # input/output error, stale handle, too many files
def test_a_failing_disk_is_never_the_scans_fault(tmp_path, number):
    with pytest.raises(InfrastructureError):
        explain_open_errors(tmp_path / "a.nii", failing(OSError(number, "failed")))
