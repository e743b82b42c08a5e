"""A participant withdraws from a finished study: nothing of them stays, and nothing of others changes."""

import subprocess


def files(workflow):
    return {
        str(path.relative_to(workflow.output)): path.read_bytes()
        for path in sorted(workflow.output.rglob("*"))
        if path.is_file()
    }


def mentions(workflow, name):
    """Return what `grep -r` finds in the output folder, and file names."""
    line = ["grep", "-rIlw", name, str(workflow.output)]
    named = [path for path in files(workflow) if name in path]
    return subprocess.run(line, capture_output=True, text=True).stdout.split() + named


def test_after_a_withdrawal_nothing_mentions_the_participant(finished):
    workflow = finished
    maps = workflow.output / "sub-02" / "anat" / "sub-02_desc-vertebra_dseg.nii.gz"
    maps.parent.mkdir(parents=True)
    maps.write_text("map")
    (workflow.data / "participants.tsv").write_text("participant_id\tage\nsub-02\t61\n")
    workflow.run(batch_size=4, recompute="sub-02")
    before = files(workflow)
    assert mentions(workflow, "sub-02")
    workflow.computed()
    (workflow.folder.parent / "gone.txt").write_text("02\n")
    told = workflow.run(batch_size=4, withdrawn=workflow.folder.parent / "gone.txt")
    assert "1 participant is withdrawn: nothing of them is used or kept" in told
    assert mentions(workflow, "sub-02") == []
    assert workflow.computed() == [], "the others are finished"
    after = files(workflow)
    same = [n for n in before if n.startswith("work/features/sub-") and "sub-02" not in n]
    assert len(same) == 2 and all(before[name] == after[name] for name in same)
    scans = (workflow.output / "cohort" / "scans.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in scans[1:]] == ["sub-01", "sub-03", "sub-04"]
    (entry,) = (workflow.output / "logs" / "withdrawals.tsv").read_text().splitlines()[1:]
    assert entry.split("\t")[1:3] == ["1", "1"]
    (workflow.data / "sub-02").rename(workflow.folder.parent / "elsewhere")
    told = workflow.run(batch_size=4, withdrawn=workflow.folder.parent / "gone.txt")
    assert "Nothing to be done" in told or "cohort" in told
    assert mentions(workflow, "sub-02") == []


def test_a_withdrawal_that_is_killed_half_way_goes_on(finished):
    workflow = finished
    mark = workflow.output / "work" / "batches" / ".withdrawing"
    workflow.run(batch_size=4, withdrawn="sub-02")
    assert not mark.exists()
    # As if it had been killed when the lists were written, but not yet the rest.
    mark.write_text("")
    leftover = workflow.output / "logs" / "b00001.log"
    leftover.write_text(leftover.read_text() + "merge: sub-02 failed\n")
    workflow.run(batch_size=4, withdrawn="sub-02")
    assert mentions(workflow, "sub-02") == [] and not mark.exists()
