"""Jobs that the executor would await for ever are given up, and no others; tests/cluster plays it on a real cluster."""

import pytest
from support.cluster.slurm_stand_in import Play

from snakemake_executor_plugin_wirbel_slurm.awaited import OVER_SECONDS
from wirbel.slurm.questions import SlurmError


@pytest.fixture
def play(monkeypatch):
    return Play(monkeypatch)


def test_a_job_that_slurm_has_forgotten_fails_after_ten_minutes(play):
    job, other = play.job("7"), play.job("8")
    play.states = {"8": "RUNNING"}
    while play.now < 180 + OVER_SECONDS:
        assert play.active == [job, other]
        play.look()
    assert play.failed == [job]
    assert play.active == [other]
    assert play.executor.errors[0][1].startswith("SLURM has forgotten job 7: ")


def test_a_few_looks_after_a_long_pause_are_not_enough(play):
    job = play.job("7")
    play.look()
    play.look(seconds=10 * OVER_SECONDS)
    assert play.active == [job]


@pytest.mark.parametrize("shown", [{"7": "PENDING"}, {"7": "REQUEUED"}, SlurmError("no answer")])
def test_a_job_shown_again_or_a_queue_without_answer_makes_it_begin_anew(play, shown):
    job = play.job("7")
    for _ in range(10):
        play.states = {}
        play.look(seconds=OVER_SECONDS / 3)
        play.look(seconds=OVER_SECONDS / 3)
        play.states = shown
        play.look(seconds=OVER_SECONDS / 3)
    assert play.active == [job]
    assert not play.failed
    assert not play.told


def test_while_the_executor_gets_no_answer_nothing_is_dropped_and_nothing_given_up(play):
    jobs = [play.job("7"), play.job("8")]
    play.executor.silent = True
    for _ in range(20):
        play.look()
    assert play.active == jobs
    assert play.told == ["SLURM does not say anything about 2 jobs; Wirbel waits until it does."]
    play.executor.silent, play.executor.ended = False, {"7", "8"}
    play.look()
    assert play.executor.successes == jobs
    assert not play.failed


def test_an_executor_that_could_not_ask_for_lack_of_processes_asks_again(play):
    job = play.job("7")
    play.executor.refused = True
    play.look()
    assert play.active == [job]


def test_a_cancelled_job_fails_at_the_second_look(play):
    job = play.job("7")
    play.states = {"7": "CANCELLED"}
    play.look()
    assert play.active == [job]
    play.look()
    assert play.executor.errors == [(job, "SLURM-job '7' failed, SLURM status is: 'CANCELLED'. ")]
    assert play.active == []


def test_what_the_executor_sees_itself_is_left_to_it(play):
    job = play.job("7")
    play.states = {"7": "FAILED"}
    play.look()
    play.executor.ended = {"7"}
    play.look()
    assert (play.executor.successes, play.failed, play.active) == ([job], [], [])


@pytest.mark.parametrize(("state", "successes"), [("COMPLETED", 1), ("PREEMPTED", 0)])
def test_the_last_state_decides_although_the_controller_forgets_it(play, state, successes):
    play.job("7")
    play.states = {"7": state}
    play.look()
    play.states = {}
    for _ in range(4):
        play.look()
    assert (len(play.executor.successes), len(play.failed)) == (successes, 1 - successes)


def test_a_job_whose_number_went_to_a_later_one_fails_at_once(play):
    old = play.job("7")
    play.states = {"7": "RUNNING"}
    play.look()
    new = play.job("7")
    play.active.reverse()  # Snakemake puts those already checked behind new ones
    play.look()
    assert play.failed == [old]
    assert play.executor.asked == play.active == [new]


@pytest.mark.parametrize(
    ("number", "resources"),
    [("7_2", {}), ("7", {"slurm_cluster": "big"}), ("7", {"clusters": "a"})],
)
def test_jobs_that_this_queue_does_not_list_are_left_alone(play, number, resources):
    jobs = [play.job(number, **resources), play.job(number, **resources)]
    for _ in range(10):
        play.look()
    assert play.active == jobs


def test_an_error_in_looking_does_not_end_the_run(play):
    job = play.job("7")
    play.states = ValueError("not enough values to unpack")
    play.look()
    assert play.active == [job]
    assert play.told == [
        "Jobs that SLURM has forgotten were not looked for: ValueError: not enough values to unpack"
    ]


def test_jobs_are_cancelled_also_while_they_are_asked_for_and_none_twice(play):
    jobs = [play.job("7"), play.job("8")]
    play.executor.ended = {"8"}
    play.look()
    play.executor.cancel_jobs(play.active)
    assert play.executor.cancelled == jobs[:1]
    play.executor.interrupted, play.executor.cancelled = True, []
    jobs[1] = play.job("9")
    play.look()
    assert play.executor.cancelled == jobs
