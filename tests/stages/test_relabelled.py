"""A reader moves the names of a scan: rows, map and sidecar say so, and taking it back restores what was."""

from __future__ import annotations

from support.studies import planned
from support.studies.measured import BUILTIN, gather

from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import read_json
from wirbel.manifests.findings import with_shifts, write_findings
from wirbel.manifests.records import read_records
from wirbel.manifests.seals import Seal
from wirbel.stages import features
from wirbel.study.decision.valid_manifests import follows

SCAN = "sub-1_ses-a"
REVIEWS = {
    SCAN: {"review": "relabelled", "shift": 1, "comment": "sacrum in view", "reader": "Ann"},
    "sub-3": {"review": "rejected", "shift": 0, "comment": "motion", "reader": "Ann"},
}


def reviewed(folder, reviews):
    write_findings(folder, [], "", reviews)
    for batch in ("b00001", "b00002"):
        assert planned.run(features, folder, BUILTIN, batch=batch) == 0
    return gather(folder)


def stem(folder):
    return folder / "sub-1/ses-a/anat" / f"{SCAN}_desc"


def test_rows_and_map_have_the_corrected_names(output):
    keys = {s: r.key for s, r in read_records(output / "work/features/b00002.tsv").items()}
    tables = reviewed(output, REVIEWS)
    vertebrae = tables["vertebrae"].set_index("scan_id")
    assert list(vertebrae.loc[SCAN].level) == ["L4", "L5"]  # were L3 and L4
    assert list(vertebrae.loc["sub-3"].level) == ["L3", "L4"]
    assert list(tables["scans"].review) == ["relabelled", "not_reviewed", "rejected"]
    assert list(tables["failures"].review) == ["not_reviewed"]
    by_scan = tables["vertebrae_z"].groupby("scan_id").review.agg(set)
    assert by_scan[SCAN] == {"relabelled"} and by_scan["sub-3"] == {"rejected"}
    assert tables["scans"].set_index("scan_id").level_method[SCAN] == "reader"
    moved = read_volume(f"{stem(output)}-reviewed_dseg.nii.gz").data
    own = read_volume(f"{stem(output)}-vertebra_dseg.nii.gz").data
    assert ((own == 22) == (moved == 23)).all() and ((own == 23) == (moved == 24)).all()
    told = read_json(f"{stem(output)}-reviewed_dseg.json")
    assert told["Review"]["reader"] == "Ann" and told["Levels"]["method"] == "reader"
    after = {s: r.key for s, r in read_records(output / "work/features/b00002.tsv").items()}
    (own,) = [
        r for r in read_records(output / "work/features/b00001.tsv").values() if r.status == "ok"
    ]
    assert own.source == "merge"  # the maps' key: the chain from the scan on stays unbroken
    assert after == keys  # a rejection measures nothing anew


def test_a_manifest_of_moved_names_follows_the_one_before_while_readers_say_so(output):
    before = Seal("", "", "maps")
    moved = Seal("", with_shifts("maps", {SCAN: 1}), "rows")
    write_findings(output, [], "", REVIEWS)
    assert follows(output, "b00001", moved, before)
    write_findings(output, [], "", {})
    assert not follows(output, "b00001", moved, before)
    assert follows(output, "b00001", Seal("", "maps", "rows"), before)


def test_taking_the_review_back_restores_the_names_and_removes_the_map(output):
    reviewed(output, REVIEWS)
    tables = reviewed(output, {})
    assert list(tables["vertebrae"].level) == ["L3", "L4"] * 2
    assert set(tables["scans"].review) == {"not_reviewed"}
    assert not list(stem(output).parent.glob("*reviewed*"))


def test_a_shift_out_of_the_spine_is_flagged_and_changes_nothing(output):
    tables = reviewed(output, {SCAN: REVIEWS[SCAN] | {"shift": 9}})
    scans = tables["scans"].set_index("scan_id")
    assert "review_not_applied" in scans.level_flags[SCAN] and scans.first_level[SCAN] == "L3"
