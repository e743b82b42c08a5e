"""One round of faults.py with chosen faults: enough to notice a broken promise, short enough for every change."""

import faults
import pytest
from injections import FAULTS

ORPHANS = "SLURM jobs of an earlier run on"
REASONED = "sub-03: failed at resample (unreadable): sub-03 is broken"


@pytest.fixture
def a_round(cluster, tmp_path):
    """Return a function that plays a round and returns its result and its log."""
    made = []

    def play(*kinds: str):
        made.append(
            faults.Round(7, list(kinds), seed=7, cluster=cluster, folder=tmp_path, disk=None)
        )
        return made[0].play(), (tmp_path / "log.txt").read_text()

    yield play
    for each in made:
        each.workflow.stop()
    cluster.cancel_all()


def test_nothing_is_lost_and_nothing_computed_twice(a_round):
    result, log = a_round("node_crash", "main_killed", "cancelled", "second_main")
    assert result.findings == ""
    assert "(ended)" not in result.faults.partition("cancelled")[0]
    assert ORPHANS in log
    assert REASONED in log


def test_all_kinds_of_faults_take_turns():
    planned = [kind for kinds in faults.schedule(32, 4, 1, list(FAULTS)) for kind in kinds]
    assert {planned.count(kind) for kind in FAULTS} == {128 // len(FAULTS)}
    assert planned != [kind for kinds in faults.schedule(32, 4, 2, list(FAULTS)) for kind in kinds]
