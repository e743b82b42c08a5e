"""A file system that fails is never a scan's fault, whichever number it answers with."""

import errno
import os

import pytest

from wirbel.errors import InfrastructureError
from wirbel.io.nifti_files import explain_read_errors
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
