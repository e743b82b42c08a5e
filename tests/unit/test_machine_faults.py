"""A file system that fails is never a scan's fault, whichever number it answers with."""

import errno
import os

import pytest

from wirbel.errors import InfrastructureError
from wirbel.io.nifti.nifti_files import explain_read_errors
from wirbel.runner.failures import machine_fault

ANSWERS = [
    (errno.EFBIG, "raise the limit (`ulimit -f`)"),
    (errno.ENOTCONN, "mount it and run the same command again"),
    (errno.ETIMEDOUT, "timed out"),
    (errno.EHOSTDOWN, "down"),
    (errno.EREMOTEIO, "emote I/O"),
]


@pytest.mark.parametrize(("number", "advice"), ANSWERS)
def test_a_file_system_that_went_away_stops_the_job_and_marks_no_scan(number, advice):
    def read():
        raise OSError(number, os.strerror(number))

    with pytest.raises(InfrastructureError):
        explain_read_errors("sub-01_T2w.nii.gz", read)
    assert advice in machine_fault(OSError(number, os.strerror(number)))


@pytest.mark.parametrize(
    ("files_left", "advice"), [(0, "takes no more files"), (9, "free some space")]
)
def test_a_disk_without_inodes_is_told_from_a_full_one(monkeypatch, tmp_path, files_left, advice):
    there = os.statvfs(tmp_path)
    values = list(there)
    values[4], values[5], values[7] = 10, 100, files_left  # f_bavail, f_files, f_favail
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(values))
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "map.nii.gz"))
    assert advice in machine_fault(error)
