"""Intermediate results over the whole workflow: dropped, not missed, and made again exactly when needed."""

import shlex

from toy_workflow import CHAIN

from wirbel.runner.records import RecordBook, manifest_file, records_file

DROPPED = ["instance", "resample", "semantic"]
"""Stages whose toy results are intermediate; merge and features stand for the final ones."""


GOOD = ["sub-01", "sub-02", "sub-03"]


def _kept(workflow) -> list[str]:
    """Return the stages that have results on disk."""
    return sorted({path.parent.name for path in workflow.output.glob("work/*/sub-*.txt")})


def _edit_merge(workflow, mark: str) -> None:
    stage = workflow.folder / "workflow_scripts" / "wirbel" / "stages" / "merge.py"
    stage.write_text(stage.read_text().replace("LETTERS[NAME]", f"LETTERS[NAME] + {mark!r}", 1))


def test_they_are_dropped_and_not_missed(finished):
    finished.computed()
    assert _kept(finished) == ["features", "merge"]
    assert "0 results missing or changed: nothing to do" in finished.run("verify")
    finished.scan("sub-02", "corrected")
    finished.run()
    assert finished.computed() == sorted(f"{stage} sub-02" for stage in CHAIN)
    assert _kept(finished) == ["features", "merge"]


def test_edited_code_of_the_stage_that_reads_them_makes_them_again_and_later_code_does_not(
    finished,
):
    finished.computed()
    _edit_merge(finished, "!")
    finished.run()
    assert len(finished.computed()) == 3 * len(CHAIN)
    assert b"sub-01,1RSIM!F" in finished.tables()["scans.csv"]
    assert _kept(finished) == ["features", "merge"]
    stages = finished.folder / "workflow_scripts" / "wirbel" / "stages"
    (stages / "features.py").write_text((stages / "features.py").read_text() + "# end\nDONE = 1\n")
    finished.run()
    assert finished.computed() == [f"features {scan}" for scan in GOOD]


def test_final_results_deleted_by_hand_are_made_again_from_the_scan(finished):
    tables = finished.tables()
    finished.computed()
    (finished.output / "work" / "merge" / "sub-02.txt").unlink()
    told = finished.run("verify")
    assert "merge b00001: results missing or changed for sub-02" in told
    finished.run()
    assert finished.computed() == sorted(
        f"{stage} sub-02" for stage in CHAIN if stage != "features"
    )
    assert finished.tables() == tables

    for stage in ("merge", "features"):  # with their manifests, the records of all scans
        manifest_file(finished.output, stage, "b00001").unlink()
        book = RecordBook(records_file(finished.output, "b00001"), stage)
        book.drop(book.on_disk())
    _wait_shortly_for_files(finished)
    told = finished.run(fails=True)
    assert "run the same command again, it will make them anew" in told
    finished.run()
    assert finished.computed() == sorted(f"{stage} {scan}" for stage in CHAIN for scan in GOOD)
    assert finished.tables() == tables
    assert _kept(finished) == ["features", "merge"]


def _wait_shortly_for_files(workflow) -> None:
    """There is no network file system here that would take a while to show new files."""
    module = workflow.folder / "workflow_scripts" / "wirbel" / "runner" / "upstream.py"
    assert "LATENCY_SECONDS = 5.0" in module.read_text()
    module.write_text(module.read_text().replace("LATENCY_SECONDS = 5.0", "LATENCY_SECONDS = 0.5"))


def test_a_stage_is_asked_with_the_options_that_its_own_rule_gives_it(workflow):
    """Else its answer would be about other results than those it makes."""
    workflow.scan("sub-01", "1")
    workflow.model("a b", "semantic")
    workflow.model("c", "instance")
    models = "{semantic: a b, instance: c}"
    told = workflow.run("-n", "--printshellcmds", "--verbose", n4="false", models=models)
    lines = [line.strip() for line in told.splitlines() if "-m wirbel.stages." in line]
    commands = {line.split("wirbel.stages.")[1].split()[0]: line for line in lines}
    words = shlex.split(commands["resample"])
    asked = [
        shlex.split(word, comments=True)
        for word in words[words.index("--later") + 1 :]
        if "-m" in word
    ]
    assert [line[2] for line in asked] == [f"wirbel.stages.{name}" for name in CHAIN[1:4]]
    for line in asked:
        own = shlex.split(commands[line[2].removeprefix("wirbel.stages.")])
        assert _options(line).items() <= _options(own).items()


def _options(words: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the values that follow each option of a command line."""
    found, option = {}, ""
    for word in words:
        option = word if word.startswith("--") else option
        found[option] = found.get(option, ()) + ((word,) if word != option else ())
    return {option: values for option, values in found.items() if option}
