"""A run with other settings is killed while it replaces results; the same command finishes it."""

import os
import signal

from support.studies import in_process
from support.studies.in_process import command, values

from wirbel.plan.plan import plan_file, read_plan


def _scan(data, name):
    path = data / name / "anat" / f"{name}_T2w.nii"
    path.parent.mkdir(parents=True)
    path.write_text(name)


def _killed_at_second_map(data, output):
    """Run with other settings in a child process that dies when it is about to save the second scan's map."""
    child = os.fork()
    if child == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            save = in_process.ToyStage.save

            def save_or_die(stage, scan, result, folders):
                if (stage.name, scan.scan_id) == ("merge", "sub-01"):
                    os.kill(os.getpid(), signal.SIGKILL)
                return save(stage, scan, result, folders)

            in_process.ToyStage.save = save_or_die
            command(data, output, n4=False)
        finally:
            os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_map_that_a_killed_run_replaced_is_kept(tmp_path):
    data, output, fresh = (tmp_path / name for name in ("in", "out", "fresh"))
    for name in ("sub-00", "sub-01"):
        _scan(data, name)
    command(data, output, n4=True, batch_size=2)
    _killed_at_second_map(data, output)
    # the first scan's map is new, its intermediate results are gone, and the old manifest still lists the old map
    assert not (output / "work/instance/sub-00.txt").exists()
    new = (output / "sub-00/anat/sub-00_map.txt").stat()

    command(data, output, n4=False, batch_size=2)

    command(data, fresh, n4=False, batch_size=2)
    plan = read_plan(plan_file(output))
    assert values(output, plan, "features") == values(fresh, plan, "features")
    again = (output / "sub-00/anat/sub-00_map.txt").stat()
    assert (again.st_ino, again.st_mtime_ns) == (new.st_ino, new.st_mtime_ns), "computed again"
