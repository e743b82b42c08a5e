"""A run that was killed on another login node: explained, and cleared by the documented command."""

from wirbel.study.run_lock import RunLock

LEFT = "process 4711 on login2 since 2026-11-23 14:00+01:00"


def test_a_lock_left_on_another_machine_is_explained_and_cleared(workflow):
    workflow.scan("sub-01", "1")
    lock = workflow.output / "work" / "workflow.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(f"{LEFT}\n")
    told = workflow.run(fails=True, wait_seconds=0)
    assert f"{workflow.output} is being worked on by {LEFT}: wait for it, stop it there" in told
    assert "add `-- unlock` to the end of this command once" in told
    command = [*workflow.command(), "--", "unlock"]
    workflow.command = lambda *_, **__: command
    assert f"forgotten: {LEFT}" in workflow.run()
    del workflow.command
    assert "1 scan measured" in workflow.run(wait_seconds=0)
    assert lock.read_text() == ""


def test_a_run_that_is_at_work_is_not_forgotten_and_the_command_fails(workflow):
    """A script that goes on after `unlock` must not start a second run on the same folder."""
    lock = RunLock(workflow.output)
    assert lock.acquire()
    before = (workflow.output / "work" / "workflow.lock").read_text()
    command = [*workflow.command(), "--", "unlock"]
    workflow.command = lambda *_, **__: command
    told = workflow.run(fails=True)
    assert f"{workflow.output} is being worked on by process " in told
    assert "nothing was changed" in told
    assert (workflow.output / "work" / "workflow.lock").read_text() == before
    lock.release()
    assert "is not locked" in workflow.run()
