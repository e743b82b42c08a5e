"""Intermediate results: when they go, when they are made again, and that nothing else is computed for it.

Two toy stages: `count` makes an intermediate result, `double` reads it and keeps its own.
"""

import pytest
from support.studies.toy import Count, Double
from support.studies.toy_study import Study

from wirbel.manifests.records import read_records
from wirbel.runner.machine import locks


class Chain(Study):
    """Both stages by one plan."""

    def __init__(self, folder):
        super().__init__(folder)
        self.count, self.double = Count(), Double()

    def run_both(self, code="toy", keep=False):
        """Run the chain, `code` standing for the later stage's; return what each stage computed."""
        self.count, self.double = Count(), Double()
        self.run_count(code)
        self.run_double(code, keep)
        return self.count.calls, self.double.calls

    def run_count(self, code="toy"):
        return self.run(self.count, codes={"double": code})

    def run_double(self, code="toy", keep=False):
        return self.run(self.double, codes={"double": code}, drops=[] if keep else ["count"])

    def files(self):
        """Return the names of all results on disk."""
        return sorted(path.name for path in self.output.rglob("sub-*.txt"))


INTERMEDIATE = ["sub-01_count.txt", "sub-02_count.txt"]
FINAL = ["sub-01_double.txt", "sub-02_double.txt"]
BOTH = ["sub-01", "sub-02"]


@pytest.fixture
def chain(tmp_path):
    chain = Chain(tmp_path)
    chain.scan("sub-01", "four")
    chain.scan("sub-02", "seven..")
    return chain


def test_they_go_when_the_last_stage_that_reads_them_is_done_and_nothing_is_computed_again(chain):
    assert chain.run_both() == (BOTH, BOTH)
    assert chain.files() == FINAL
    assert chain.run_both() == ([], [])
    record = read_records(chain.output / "work/count/b00001.tsv")["sub-01"]
    assert (record.status, record.outputs) == ("ok", ("work/count/sub-01_count.txt",))


def test_they_stay_when_asked_for_and_go_when_no_longer_asked_for(chain):
    chain.run_both(keep=True)
    assert chain.files() == sorted(INTERMEDIATE + FINAL)
    assert chain.run_both(keep=False) == ([], [])
    assert chain.files() == FINAL


def test_a_later_stage_that_changed_gets_them_again(chain):
    chain.run_both()
    assert chain.run_both(code="newer") == (BOTH, BOTH)
    assert chain.files() == FINAL


def test_only_the_scan_whose_final_result_is_gone_is_computed_again(chain):
    chain.run_both()
    (chain.output / "sub-02/anat/sub-02_double.txt").unlink()
    assert chain.run_both() == (["sub-02"], ["sub-02"])
    assert chain.files() == FINAL


def test_only_a_corrected_scan_is_computed_again(chain):
    chain.run_both()
    chain.scan("sub-01", "corrected")
    assert chain.run_both() == (["sub-01"], ["sub-01"])
    assert (chain.output / "sub-01/anat/sub-01_double.txt").read_text() == "18"


def test_those_of_a_scan_that_failed_later_on_stay(chain):
    class Fussy(Double):
        def compute(self, inputs):
            if inputs[0] == "sub-01":
                inputs = (inputs[0], "broken")
            return super().compute(inputs)

    chain.run_count()
    chain.double = Fussy()
    chain.run_double()
    assert chain.files() == ["sub-01_count.txt", "sub-02_double.txt"]


def test_settings_changed_back_and_forth_with_a_stop_between_lose_nothing(chain):
    chain.run_both()
    chain.run_count(code="newer")  # made again for the newer code, which never comes to run
    assert chain.files() == sorted(INTERMEDIATE + FINAL)
    assert chain.run_both() == ([], [])
    assert chain.files() == FINAL


def test_an_orphan_of_an_earlier_run_takes_nothing_from_its_successor(chain, monkeypatch):
    """While the orphan computes, the stage before begins to work for other settings."""
    monkeypatch.setattr(locks, "_try_lock", lambda _: True)  # a file system without locks

    class Orphan(Double):
        def compute(self, inputs):
            if inputs[0] == "sub-01":
                chain.run(Count(), codes={"count": "newer"})
            return super().compute(inputs)

    chain.run_count()
    chain.double = Orphan()
    chain.run_double()
    assert "sub-01_count.txt" in chain.files()
    assert read_records(chain.output / "work/count/b00001.tsv")["sub-01"].status == "ok"


def test_files_that_another_job_has_replaced_are_not_taken_for_the_recorded_ones(chain, capsys):
    chain.run_count()
    manifest = chain.output / "work/count/b00001.tsv"
    old = manifest.read_text()
    chain.run(Count(), codes={"count": "newer"})
    manifest.write_text(old)
    assert chain.run_double()[0] == 1
    assert (
        "another job is replacing what an earlier stage made of sub-01" in capsys.readouterr().err
    )
