"""The contact sheet of an output folder with good, failed and unmoved scans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.studies import planned
from support.studies.batch_lists import update_batches

from wirbel.core.geometry import Volume
from wirbel.core.pictures.contact_sheet import draw_sheet
from wirbel.io.nifti.volumes import read_volume, write_volume
from wirbel.io.sidecars import write_json
from wirbel.manifests.batches import StageFolders, batch_file, read_batch
from wirbel.manifests.records import (
    FAILED,
    OK,
    SKIPPED,
    Record,
    read_records,
    sum_of,
    write_records,
)
from wirbel.plan.plan import plan_file
from wirbel.stages import contact_sheet

PIR = np.array([[0, 0, 3.0, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]])
LEVELS = {"confidence": 0.9, "method": "sacrum", "agree": None, "flags": []}


@pytest.fixture
def output(tmp_path) -> Path:
    """Two segmented scans of a box-shaped spine, one that failed here and one that failed earlier."""
    labels = np.zeros((40, 50, 5), np.uint8)
    labels[10:20, 10:30, 1:4] = 49
    for number in range(1, 5):
        image = np.random.default_rng(number).integers(0, 500, labels.shape).astype(np.int16)
        path = tmp_path / f"bids/sub-{number}/anat/sub-{number}_T2w.nii.gz"
        write_volume(path, Volume(image, PIR))
    output = tmp_path / "out"
    (batch,) = update_batches(tmp_path / "bids", output, 10)
    folders, records = StageFolders(output), []
    for scan in read_batch(batch_file(output, batch)):
        status = {"sub-3": FAILED, "sub-4": SKIPPED}.get(scan.scan_id, OK)
        reason = {"sub-3": "no_spine_found", "sub-4": "unreadable"}.get(scan.scan_id, "")
        records.append(Record(scan.scan_id, status, reason, reason and "what was found"))
        if status == OK:
            stem = f"{folders.anat(scan)}/{scan.scan_id}_desc"
            write_volume(f"{stem}-subregion_dseg.nii.gz", Volume(labels, PIR))
            vertebra = np.where(labels, 20, 0).astype(np.uint8)
            write_volume(f"{stem}-vertebra_dseg.nii.gz", Volume(vertebra, PIR))
            write_json(f"{stem}-vertebra_dseg.json", {"Levels": LEVELS})
    for stage in ("merge", "features"):
        write_records(output / "work" / stage / f"{batch}.tsv", records)
    planned.seal_manifests(output, planned.plan_of(output, planned.BUILTIN))
    return output


def sheet_of(output: Path, *more: str) -> bytes:
    assert contact_sheet.main(["--plan", str(plan_file(output)), *more]) == 0
    return (output / "qc/contact_sheet.png").read_bytes()


def test_the_sheet_is_drawn_and_says_what_is_on_it(output, capsys):
    sheet_of(output)
    assert "2 of 2 segmented scans shown; 2 failed" in capsys.readouterr().out
    with Image.open(output / "qc/contact_sheet.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
        assert picture.info == {}, "no dates or other metadata"
    assert any(blue > red + 60 for red, _, blue in colours), "the bodies are tinted"


def test_maps_of_toy_weights_get_a_banner(output):
    def orange(sheet: Path) -> int:
        with Image.open(sheet) as picture:
            return (np.asarray(picture.convert("RGB")) == (230, 159, 0)).all(axis=2).sum()

    sheet = output / "qc/contact_sheet.png"
    sheet_of(output)
    without = orange(sheet)
    sidecar = output / "sub-1/anat/sub-1_desc-vertebra_dseg.json"
    toy = {"semantic": {"Name": "builtin", "SHA256": "0", "ToyWeights": True}}
    write_json(sidecar, {"Levels": LEVELS, "Models": toy})
    sheet_of(output)
    assert orange(sheet) > without + 20 * 1000, "a strip of a thousand pixels' width"


def test_it_is_the_same_every_time(output):
    assert sheet_of(output) == sheet_of(output)


def test_it_shows_at_most_so_many(output, capsys):
    sheet_of(output, "--scans", "1", "--failures", "1")
    assert "1 of 2 segmented scans shown; 2 failed" in capsys.readouterr().out


def test_a_scan_whose_file_was_moved_is_shown_without_its_image(output):
    (output.parent / "bids/sub-1/anat/sub-1_T2w.nii.gz").unlink()
    sheet_of(output)


def test_without_a_manifest_it_says_what_to_do(output, capsys):
    next((output / "work/merge").glob("*.tsv")).unlink()
    assert contact_sheet.main(["--plan", str(plan_file(output))]) == 1
    assert "run the workflow first" in capsys.readouterr().err


def test_scans_are_spread_evenly_with_both_ends():
    assert contact_sheet.evenly(list(range(9)), 3) == [0, 4, 8]
    assert contact_sheet.evenly([1, 2], 3) == [1, 2]


@pytest.mark.parametrize(
    ("levels", "words", "warning"),
    [
        ({}, "2 vertebrae, L1 to L2; levels counted from the sacrum, confidence 0.90", False),
        ({"confidence": 0.3, "method": "estimated"}, "levels estimated, confidence 0.30", True),
        ({"agree": False, "method": "both"}, "top and sacrum disagree", True),
        ({"confidence": 1.0, "method": "reader"}, "L1 to L2; levels corrected by a reader", False),
    ],
)
def test_the_caption_tells_how_sure_the_levels_are(levels, words, warning):
    said, warned = contact_sheet.describe(np.array([0, 20, 21, 26, 120]), LEVELS | levels)
    assert words in said
    assert warned is warning


def test_the_caption_counts_what_the_tables_count(output):
    """Of T12 only a process is in view: it has a number in the map, but no row in the table of vertebrae."""
    scan = read_batch(batch_file(output, "b00001"))[0]
    stem = f"{StageFolders(output).anat(scan)}/{scan.scan_id}_desc"
    subregion, vertebra = (
        read_volume(f"{stem}-{name}_dseg.nii.gz") for name in ("subregion", "vertebra")
    )
    subregion.data[25:30, 2:8, 1:4] = 42
    vertebra.data[25:30, 2:8, 1:4] = 19
    for name, volume in (("subregion", subregion), ("vertebra", vertebra)):
        write_volume(f"{stem}-{name}_dseg.nii.gz", volume)
    assert contact_sheet.entry_of(scan, StageFolders(output)).caption.startswith("1 vertebra, L1;")


@pytest.mark.parametrize("method", ["reader", "stations"])
def test_names_that_were_corrected_are_shown_and_not_those_before(output, monkeypatch, method):
    """A reader, or the other stations of the session, make L2 of L1: the measurements write a map of its own."""
    shown = []

    def drawn(*content):
        shown.extend(content[2])
        return draw_sheet(*content)

    monkeypatch.setattr(contact_sheet, "draw_sheet", drawn)
    before = sheet_of(output)
    stem = output / "sub-1/anat/sub-1_desc"
    own = read_volume(f"{stem}-vertebra_dseg.nii.gz")
    moved = np.where(own.data == 20, 21, own.data).astype(np.uint8)
    write_volume(f"{stem}-reviewed_dseg.nii.gz", own.with_data(moved))
    write_json(f"{stem}-reviewed_dseg.json", {"Levels": LEVELS | {"method": method}})
    assert sheet_of(output) == before, (
        "the map alone, of a correction that was taken back, says nothing"
    )
    (manifest,) = (output / "work/features").glob("b*.tsv")
    records = read_records(manifest)
    names = tuple(f"sub-1/anat/sub-1_desc-reviewed_dseg{end}" for end in (".nii.gz", ".json"))
    sizes = tuple((output / name).stat().st_size for name in names)
    sums = tuple(sum_of(output / name) for name in names)
    records["sub-1"] = replace(records["sub-1"], outputs=names, sizes=sizes, sums=sums)
    write_records(manifest, records.values())
    planned.seal_manifests(output, planned.plan_of(output, planned.BUILTIN))
    shown.clear()
    assert sheet_of(output) != before
    assert [one.caption.split(";")[0] for one in shown] == ["1 vertebra, L2", "1 vertebra, L1"]
    assert [sorted(np.unique(one.view.vertebra)) for one in shown] == [[0, 21], [0, 20]]


def test_no_vertebra_is_a_warning():
    assert contact_sheet.describe(np.array([0]), LEVELS) == ("no vertebra found", True)


def test_a_damaged_map_is_told_and_removed_and_the_others_are_shown(output, capsys):
    plan = planned.plan_of(output, planned.BUILTIN)
    (manifest,) = (output / "work/merge").glob("b*.tsv")
    records = read_records(manifest)
    path = output / "sub-1/anat/sub-1_desc-subregion_dseg.nii.gz"
    name, status = str(path.relative_to(output)), path.stat()
    promised = {"outputs": (name,), "sizes": (status.st_size,), "sums": (sum_of(path),)}
    records["sub-1"] = replace(records["sub-1"], **promised, stamps=(status.st_mtime_ns,))
    write_records(manifest, records.values())
    planned.seal_manifests(output, plan)
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    sheet_of(output)
    assert "1 of 2 segmented scans shown; 3 failed" in capsys.readouterr().out
    assert not path.exists(), "so that the next run makes it again"
