"""The QC report of a simulated cohort of measurements, made by its stage."""

from __future__ import annotations

import json

import pytest
from support.studies.simulated_cohort import ODD, SCANS

from wirbel.manifests.receipts import pictures_receipt, read_receipt, write_receipt
from wirbel.plan.plan import plan_file
from wirbel.stages import report


@pytest.fixture(scope="module")
def output(tables):
    """The output folder of forty scans, with their report."""
    assert report.main(["--plan", str(plan_file(tables.parent))]) == 0
    return tables.parent


def content(path) -> dict:
    """Return what a data file hands over."""
    text = path.read_text(encoding="utf-8")
    assert text.startswith("WIRBEL.put(") and text.endswith(");\n")
    return json.loads("[" + text[len("WIRBEL.put(") : -len(");\n")] + "]")[1]


def column(output, name: str) -> dict:
    columns = content(output / "qc/data/scans.js")["columns"]
    return next(one for one in columns if one["name"] == name)


def test_every_scan_is_listed_with_its_outliers(output):
    names = column(output, "scan_id")
    assert [names["texts"][code] for code in names["codes"]] == [
        f"sub-{i:02d}" for i in range(SCANS)
    ]
    outliers = column(output, "outlier_rows")["values"]
    assert outliers[ODD] == 1 and sum(outliers) == 1
    assert column(output, "attention")["values"][ODD] >= 1


def test_a_distribution_holds_complete_values_alone_and_marks_the_outlier(output):
    heights = content(output / "qc/data/measures/vertebrae.height_anterior_mm.js")
    assert heights["levels"] == ["L1"] and heights["n"] == [
        SCANS - 1
    ]  # sub-08 is cut by the border
    assert [point[1:] for point in heights["points"] if point[3]] == [[ODD, 39, 1]]


def test_the_page_says_toy_weights_and_holds_no_path_of_this_machine(output):
    text = (output / "qc/index.html").read_text(encoding="utf-8")
    assert "Toy weights" in text and "builtin" in text
    assert str(output.parent) not in text + (output / "qc/data/study.js").read_text()


def test_the_receipt_promises_every_file_and_a_second_run_writes_the_same(output):
    receipt = read_receipt(output, "report")
    assert "qc/index.html" in receipt.outputs and not receipt.damaged(output)
    assert report.main(["--plan", str(plan_file(output))]) == 0
    assert read_receipt(output, "report").sums == receipt.sums


@pytest.mark.parametrize("text", ['{"sub-00": {"pan', "[1]", '{"sub-00": 7}'])
def test_a_damaged_list_of_pictures_is_named_and_made_anew_by_the_next_run(output, capsys, text):
    path, drawn = output / "work/pictures/b00001.json", pictures_receipt("b00001")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    write_receipt(output, drawn, "made_by", "made_from", [path])
    assert report.main(["--plan", str(plan_file(output))]) == 1
    told = capsys.readouterr().err
    assert "b00001.json was damaged" in told and "run the same command again" in told
    assert not path.exists() and read_receipt(output, drawn) is None
    assert report.main(["--plan", str(plan_file(output))]) == 0


def test_without_tables_the_stage_says_what_is_missing(tmp_path, capsys):
    assert report.main(["--plan", str(tmp_path / "work" / "plan.json")]) == 1
    assert "plan.json is missing" in capsys.readouterr().err
