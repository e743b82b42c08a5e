"""Several stages in one process: `python -m wirbel.stages NAMES`."""

import sys
from types import SimpleNamespace

import pytest

from wirbel.stages.__main__ import main


@pytest.fixture
def started(monkeypatch):
    """Stand-ins for two stages that note their arguments and end as they are told."""
    log, codes = [], {"first": 0, "second": 0}

    def stand_in(name):
        def run(argv):
            log.append((name, argv))
            return codes[name]

        monkeypatch.setitem(sys.modules, f"wirbel.stages.{name}", SimpleNamespace(main=run))

    stand_in("first")
    stand_in("second")
    return log, codes


def test_stages_run_in_their_order_with_the_same_arguments(started):
    log, _ = started
    assert main(["first", "second", "--plan", "plan.json", "--batch", "b00001"]) == 0
    arguments = ["--plan", "plan.json", "--batch", "b00001"]
    assert log == [("first", arguments), ("second", arguments)]


def test_the_first_stage_that_fails_ends_the_process(started):
    log, codes = started
    codes["first"] = 143
    assert main(["first", "second", "--batch", "b00001"]) == 143
    assert [name for name, _ in log] == ["first"]


def test_without_a_stage_the_process_says_what_it_expects():
    with pytest.raises(SystemExit, match="expected names of stages"):
        main(["--batch", "b00001"])
