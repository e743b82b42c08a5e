"""What has to run follows from the output folder alone: not from where, or how, the command is given."""

import os
import shutil

from support.studies.toy_workflow import CHAIN

SCANS = ("sub-01", "sub-02", "sub-03")
EVERYTHING = sorted([f"{stage} {scan}" for stage in CHAIN for scan in SCANS] + ["resample sub-04"])
WITH, WITHOUT = b"sub-01,1RSIMF\n", b"sub-01,1R-SIMF\n"
"""The table's row with and without bias field correction."""


def test_another_setting_is_noticed_from_everywhere_and_by_every_name(finished, tmp_path):
    finished.computed()
    repository, output = finished.folder, finished.output
    link = tmp_path / "link"
    link.symlink_to(output)
    names = [output / ".." / output.name, f"{output.parent}//{output.name}//", link]
    for number, name in enumerate(names):
        told = finished.run(n4=str(number % 2 == 1), output_dir=name)
        assert "Nothing to be done" not in told
        assert finished.computed() == EVERYTHING
        assert (WITHOUT, WITH)[number % 2] in finished.tables()["scans.csv"]
        assert "Nothing to be done" in finished.run("-n", n4=str(number % 2 == 1))

    place = tmp_path / "another working directory"
    place.mkdir()
    finished.folder = place
    line = finished.command
    finished.command = lambda *more, **config: [
        str(repository / part) if part == "profiles/default" else part
        for part in line("-s", str(repository / "Snakefile"), *more, **config)
    ]
    assert "Nothing to be done" in finished.run("-n", n4="false")
    finished.run(n4="true", output_dir=os.path.relpath(output, place))
    assert finished.computed() == EVERYTHING and WITH in finished.tables()["scans.csv"]


def test_so_it_is_from_a_new_clone_and_after_the_output_was_moved(finished, tmp_path):
    finished.computed()
    finished.folder = finished.folder.rename(tmp_path / "clone")
    shutil.rmtree(finished.folder / ".snakemake")
    finished.output = finished.output.rename(tmp_path / "moved")
    assert "Nothing to be done" in finished.run()
    finished.data = finished.data.rename(tmp_path / "data")
    finished.scan("sub-05", "5")
    finished.run(n4="false")
    rows = finished.tables()["scans.csv"].decode().split()[1:]
    assert [row for row in rows if "R-SIMF" in row] == [row for row in rows if "unread" not in row]
    assert len(finished.computed()) == 4 * len(CHAIN) + 1


def test_touching_makes_nothing_old_count_as_new(finished):
    finished.computed()
    finished.run("--touch", n4="false")
    assert WITH in finished.tables()["scans.csv"] and finished.computed() == []
    finished.run(n4="false")
    assert finished.computed() == EVERYTHING and WITHOUT in finished.tables()["scans.csv"]


def test_without_the_profile_as_with_it(finished):
    finished.computed()
    line = finished.command
    finished.command = lambda *more, **config: [
        *(part for part in line(*more, **config) if part not in ("--profile", "profiles/default")),
        "--cores",
        "1",
    ]
    assert "Nothing to be done" in finished.run()
    finished.run("--rerun-triggers", "mtime", n4="false")
    assert finished.computed() == EVERYTHING


def test_the_run_record_has_a_line_for_every_run(finished):
    finished.run(n4="false")
    first, second = [
        line.split("\t")
        for line in (finished.output / "logs/runs.tsv").read_text().splitlines()[1:]
    ]
    assert "n4=false" in second[1] and second[0] <= second[9]
    assert first[4] != second[4], "the settings' fingerprint"
    assert second[5:9] == ["4", "0", "0", "0"] and second[10:] == ["3", "1", "0"]
    assert (finished.output / "work" / "plans" / f"{second[4]}.json").exists()


def test_tables_and_pictures_that_are_deleted_or_damaged_are_made_again(finished):
    finished.computed()
    tables = finished.tables()
    picture = finished.output / "qc" / "contact_sheet.png"
    drawn = picture.read_bytes()
    (finished.output / "cohort" / "levels.csv").unlink()
    picture.write_bytes(drawn.swapcase())
    told = finished.run("-n")
    assert "cohort         results are missing or damaged" in told
    assert "contact_sheet  results are missing or damaged" in told
    finished.run()
    assert (finished.tables(), picture.read_bytes()) == (tables, drawn)
    assert finished.computed() == []


def test_a_flipped_bit_is_found_by_verify_although_size_and_time_are_the_same(finished):
    finished.computed()
    tables = finished.tables()
    result = finished.output / "work" / "merge" / "sub-02.txt"
    content, status = result.read_bytes(), os.stat(result)
    result.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(result, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "Nothing to be done" in finished.run()
    told = finished.run("verify")
    assert "merge b00001: results missing or changed for sub-02" in told
    finished.run()
    assert (finished.tables(), result.read_bytes()) == (tables, content)
    assert {line.split()[1] for line in finished.computed()} == {"sub-02"}


def test_one_scan_is_computed_again_when_asked(finished):
    finished.computed()
    told = finished.run("-n", recompute="sub-01")
    assert "resample       1 scan in 1 of 1 batch: asked for by recompute" in told
    finished.run(recompute="sub-01")
    assert finished.computed() == sorted(f"{stage} sub-01" for stage in CHAIN)
    assert "Nothing to be done" in finished.run()


def test_a_dry_run_leaves_no_temporary_file(finished, tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    assert "resample" in finished.run("-n", n4="false")
    assert [path.name for path in place.glob("wirbel*")] == []
