"""How many files of the runner a reader needs to follow one scan: those that run when a job computes it."""

import sys
import threading
from pathlib import Path

import pytest
from support.studies.toy import Count, Double
from support.studies.toy_study import Study

from wirbel import runner

MOST_FILES = 10
RUNNER = Path(runner.__file__).parent


@pytest.fixture
def executed():
    """The files of the runner in which a function is called, from here on, in any thread."""
    files = set()

    def note(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if event == "call" and frame.f_code.co_name != "<module>" and path.is_relative_to(RUNNER):
            files.add(str(path.relative_to(RUNNER)))

    threading.setprofile(note)
    sys.setprofile(note)
    yield files
    sys.setprofile(None)
    threading.setprofile(None)


@pytest.mark.parametrize("stage", [Count(), Double()], ids=["first", "later"])
def test_a_scan_goes_through_few_files_of_the_runner(tmp_path, request, stage):
    study = Study(tmp_path)
    study.scan("sub-01", "four")
    if isinstance(stage, Double):
        study.run(Count())
    executed = request.getfixturevalue("executed")
    code, records = study.run(stage, drops=["count"])
    sys.setprofile(None)
    assert (code, records["sub-01"].status) == (0, "ok")
    assert {"loop.py", "job.py", "steps.py"} <= executed
    assert len(executed) <= MOST_FILES, sorted(executed)
