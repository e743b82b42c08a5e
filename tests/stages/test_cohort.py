"""A cohort of simulated measurements through the cohort stage: types, participants' columns, flags."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from support.studies import planned
from support.studies.simulated_cohort import ODD, SCANS

from wirbel.cohort import finishing
from wirbel.cohort.description import TOOL_KEY, tool_metadata
from wirbel.cohort.gathering import gather
from wirbel.cohort.joining import read_participants
from wirbel.core.dictionary import PLAUSIBILITY, TABLES
from wirbel.io.dataset.listing import Finding
from wirbel.io.tabular.measurements import write_measurements
from wirbel.io.tabular.tables import write_rows
from wirbel.manifests.batches import COLUMNS, batch_file, read_batch
from wirbel.manifests.findings import write_findings
from wirbel.manifests.records import read_records, write_records
from wirbel.manifests.seals import seal_line, seal_of
from wirbel.plan.plan import Wishes, plan_file, read_plan, write_plan
from wirbel.stages import cohort

MEASURED = ("scans", "vertebrae", "discs", "levels")
ARROW = {"string": "string", "integer": "int64", "number": "double", "boolean": "bool"}


@pytest.mark.parametrize("table", TABLES)
def test_types_are_those_of_the_dictionary_and_both_files_hold_the_same(tables, table):
    described = json.loads((tables / f"{table}.json").read_text())
    described.pop(TOOL_KEY)  # describes no column
    schema = pq.read_schema(tables / f"{table}.parquet")
    expected = {name: ARROW[entry["Type"]] for name, entry in described.items()}
    if "level_order" in expected:
        expected["level"] = "dictionary<values=string, indices=int16, ordered=1>"
    assert expected == {field.name: str(field.type) for field in schema}
    parquet = pd.read_parquet(tables / f"{table}.parquet")
    text = pd.read_csv(tables / f"{table}.csv", dtype=parquet.dtypes.to_dict())
    pd.testing.assert_frame_equal(text, parquet, check_exact=True)


def test_pandas_finds_the_types_in_the_csv_itself(tables):
    vertebrae = pd.read_csv(tables / "vertebrae.csv", dtype_backend="numpy_nullable")
    found = vertebrae.dtypes.astype(str)
    assert found["age"] == "Int64" and vertebrae.age.isna().sum() == 2
    assert found["height_anterior_mm"] == "Float64" and found["level"] == "string"
    assert (
        pd.read_csv(tables / "scans.csv", dtype_backend="numpy_nullable").smoker.dtype == "boolean"
    )


def test_scans_get_all_columns_of_participants_and_the_other_measures_age_and_sex(tables):
    columns = {table: list(pd.read_parquet(tables / f"{table}.parquet")) for table in TABLES}
    own = {table: [column.name for column in declared] for table, declared in TABLES.items()}
    added = {table: columns[table][len(own[table]) :] for table in TABLES}
    assert added["scans"] == ["sex", "age", "site", "smoker", "participants_label"]
    assert added["vertebrae"] == added["discs"] == added["levels"] == ["sex", "age"]
    assert added["vertebrae_z"] == ["sex", "age"] and added["reference"] == added["failures"] == []
    assert all(columns[table][: len(own[table])] == own[table] for table in TABLES)
    scans = pd.read_parquet(tables / "scans.parquet").set_index("scan_id")
    assert scans.site["sub-00"] == "007" and scans.age.dtype == "Int64"
    assert scans.loc["sub-39", added["scans"]].isna().all()


def test_an_unusual_row_is_flagged_and_stays(tables):
    vertebrae = pd.read_parquet(tables / "vertebrae.parquet").set_index("scan_id")
    assert len(vertebrae) == SCANS
    flags = vertebrae.plausibility_flags.dropna()
    assert flags.to_dict() == {f"sub-{ODD:02d}": "outlier", "sub-08": "not_compared"}
    assert vertebrae.outlier_columns[f"sub-{ODD:02d}"] == "height_anterior_mm"
    assert vertebrae.largest_modified_z[f"sub-{ODD:02d}"] > 3.5
    assert np.isnan(vertebrae.largest_modified_z["sub-08"])


def test_every_value_has_its_score_in_a_table_beside_and_what_it_was_compared_with(tables):
    """Of 38 women with a complete height each is compared with these; the one of unknown sex with all 39."""
    measured, scores = (
        pd.read_csv(tables / f"{name}.csv") for name in ("vertebrae", "vertebrae_z")
    )
    assert scores[["scan_id", "label", "level"]].equals(measured[["scan_id", "label", "level"]])
    norms = pd.read_csv(tables / "reference.csv").set_index(["measure", "sex"])
    women, everybody = (norms.loc[("height_anterior_mm", sex)] for sex in ("F", "all"))
    assert (women.table, women.level, women.n, everybody.n) == ("vertebrae", "L1", 38, 39)
    ok = measured[measured.height_status == "ok"].height_anterior_mm
    assert women["median"] == ok[:-1].median() and everybody["median"] == ok.median()
    mad = (ok[:-1] - women["median"]).abs().median()
    expected = (0.6745 * (ok - women["median"]) / mad).round(2)
    np.testing.assert_allclose(
        scores.height_anterior_mm_z[ok.index[:-1]], expected[:-1], atol=0.011
    )
    last = (measured.height_anterior_mm.iloc[-1] - everybody["median"]) / everybody.sd
    assert scores.height_anterior_mm_z.iloc[-1] == pytest.approx(last, abs=0.006)
    assert np.isnan(scores.height_anterior_mm_z[8])  # touches the border: its status says so
    assert scores.too_few_to_compare.isna().all()


def test_a_second_session_is_compared_with_the_first(tables, tmp_path):
    """Number 1 comes twice: L1 has lost 5 mm in front, which no repeated measuring explains."""
    output = shutil.copytree(tables.parent, tmp_path / "out")
    rows = [
        {**vars(scan), "session_id": f"ses-{k + 1}", "participant_id": "sub-01"}
        for k, scan in enumerate(read_batch(batch_file(output, "b00001"))[:2])
    ]
    write_rows(batch_file(output, "b00001"), COLUMNS, rows)
    for (name, height), factor in zip(
        (("sub-00", 26.0), ("sub-01", 21.0)), (0.9, 0.6), strict=True
    ):
        row = {"label": 20, "level": "L1", "height_anterior_mm": height, "height_status": "ok"}
        row |= {"level_confidence": factor, "height_middle_mm": 25.0 if name == "sub-00" else None}
        path = output / "work" / "features" / f"{name}_features.json"
        write_measurements(path, {"scan_status": "ok"}, {"vertebrae": [row]})
    assert gather(output, read_participants(None, output))["vertebrae_changes"] == 1
    (change,) = pd.read_csv(output / "cohort/vertebrae_changes.csv").to_dict("records")
    names = ("session_id", "baseline_session_id", "scan_id", "baseline_scan_id", "level")
    assert [change[name] for name in names] == ["ses-2", "ses-1", "sub-01", "sub-00", "L1"]
    assert change["height_anterior_mm_change"] == -5.0 and change["level_confidence"] == 0.6
    assert change["changed_columns"] == "height_anterior_mm"
    assert change["measured_once"] == "height_middle_mm"


def test_every_table_of_measures_has_the_flags(tables):
    for table in MEASURED:
        names = list(pd.read_parquet(tables / f"{table}.parquet"))
        assert {column.name for column in PLAUSIBILITY} <= set(names)


def test_toy_weights_say_so_wherever_results_are_described(tables):
    scans = pd.read_parquet(tables / "scans.parquet")
    assert set(scans.model) == {"builtin (toy weights)"} and set(scans.wirbel_version) == {"0.0.1"}
    for table in TABLES:
        tool = json.loads((tables / f"{table}.json").read_text())[TOOL_KEY]["Description"]
        assert "networks: builtin (toy weights). TOY WEIGHTS: " in tool, table
    described = json.loads((tables.parent / "dataset_description.json").read_text())
    assert "TOY WEIGHTS" in described["GeneratedBy"][0]["Description"]
    assert tool_metadata(["spineps-t2w"])["Description"].endswith("networks: spineps-t2w")


def test_rows_and_dictionaries_name_the_settings_that_made_them(tables):
    plan = read_plan(plan_file(tables.parent))
    scans = pd.read_csv(tables / "scans.csv")
    assert set(scans.settings_fingerprint) == {plan.fingerprint}
    tool = json.loads((tables / "vertebrae.json").read_text())[TOOL_KEY]
    assert tool["SettingsFingerprint"] == plan.fingerprint
    assert tool.get("Commit", "") == plan.made_by["commit"]


def test_rows_of_different_settings_make_no_table_unless_asked_for(tables, tmp_path, capsys):
    output = shutil.copytree(tables.parent, tmp_path / "out")
    older = planned.plan_of(output, planned.BUILTIN, n4=False)
    manifest = output / "work/resample/b00001.tsv"
    records = read_records(manifest).values()
    write_records(manifest, records, seal_line(seal_of(older.stage("resample"), "", records)))
    plan = planned.plan_of(output, planned.BUILTIN)
    line = ["--plan", str(plan_file(output))]
    before = (output / "cohort/scans.csv").read_bytes()
    assert cohort.main(line) == 1
    assert "b00001.tsv was made under other settings" in capsys.readouterr().err
    assert (output / "cohort/scans.csv").read_bytes() == before
    write_plan(output, replace(plan, wishes=Wishes(mixed_settings=True)))
    assert cohort.main(line) == 0
    (mixed,) = set(pd.read_csv(output / "cohort/scans.csv").settings_fingerprint)
    assert mixed not in (plan.fingerprint, older.fingerprint)


def test_tables_are_replaced_together_or_not_at_all(tables, monkeypatch):
    """The disk fills up at the last table; then, with the same content, no file is touched."""
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tables.iterdir()}
    whole = finishing.write_json

    def full(path, content):
        if path.name == "failures.json":
            raise OSError(28, "No space left on device")
        whole(path, content)

    monkeypatch.setattr(finishing, "write_json", full)
    with pytest.raises(OSError, match="No space left"):
        cohort.main(["--plan", str(plan_file(tables.parent))])
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tables.iterdir()} == before
    monkeypatch.undo()
    assert cohort.main(["--plan", str(plan_file(tables.parent))]) == 0
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in tables.iterdir()} == before


def test_what_never_became_a_scan_is_a_row_of_the_failures(tables):
    odd = Finding("sub-04", "", "sub-05", "misnamed", "sub-04/anat/sub-05_T2w.nii.gz: rename it")
    write_findings(tables.parent, [odd, Finding("sub-77", "", "", "no_scan", "found none")], "")
    assert cohort.main(["--plan", str(plan_file(tables.parent))]) == 0
    failures = pd.read_csv(tables / "failures.csv", keep_default_na=False)
    assert failures[["participant_id", "scan_id", "stage", "reason"]].to_numpy().tolist() == [
        ["sub-04", "sub-05", "listing", "misnamed"],
        ["sub-77", "", "listing", "no_scan"],
    ]
    assert len(pd.read_csv(tables / "scans.csv")) == SCANS
