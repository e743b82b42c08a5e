"""Pictures of a batch and the report with them, by the stages' own commands."""

from __future__ import annotations

import json
import socket

import pytest
from PIL import Image
from support.studies.measured import gather

from wirbel.core.pictures.panels.paint import THUMB_HEIGHT, THUMB_WIDTH
from wirbel.manifests.receipts import pictures_receipt, read_receipt
from wirbel.plan.plan import plan_file
from wirbel.report.batch_pictures import BatchPictures
from wirbel.stages import pictures, report

BATCHES = ("b00001", "b00002")


@pytest.fixture
def drawn(output):
    """The measured output folder with its tables and pictures; sub-2 was never readable."""
    gather(output)
    for batch in BATCHES:
        assert pictures.main(["--plan", str(plan_file(output)), "--batch", batch]) == 0
    return output


def place_of(output, batch: str) -> dict:
    return json.loads((output / "work" / "pictures" / f"{batch}.json").read_text())


def test_scans_have_a_panel_and_a_place_in_the_sheet_and_the_log_names_those_without(drawn):
    assert list(place_of(drawn, "b00001")) == ["sub-1_ses-a"]
    told = place_of(drawn, "b00002")["sub-3"]
    assert (drawn / "qc" / told["panel"]).is_file() and (drawn / "qc" / told["sheet"]).is_file()
    log = (drawn / "logs" / "b00001.log").read_text()
    assert "sub-2 is not drawn (content_missing)" in log


def test_a_panel_stays_small_and_says_where_the_maps_come_from(drawn):
    panel = drawn / "qc" / "panels" / "b00001" / "sub-1_ses-a.js"
    text = panel.read_text(encoding="utf-8")
    assert panel.stat().st_size < 3e6
    assert '"landmarks"' not in text and '"ToyWeights":true' in text
    assert '"volumes"' in text  # flagged: its levels have a gap


def test_a_second_drawing_gives_the_same_bytes_and_drops_old_panels(drawn):
    before = read_receipt(drawn, pictures_receipt("b00002"))
    old = drawn / "qc" / "panels" / "b00002" / "sub-gone.js"
    old.write_text("old")
    assert pictures.main(["--plan", str(plan_file(drawn)), "--batch", "b00002"]) == 0
    assert read_receipt(drawn, pictures_receipt("b00002")).sums == before.sums
    assert not old.exists()


def test_what_a_killed_drawing_left_is_swept_in_every_folder(drawn):
    ended = f".tmp-{socket.gethostname().replace('-', '_')}-{2**22 + 1}-0-x"  # above any process id
    folders = [drawn / "qc" / "panels" / "b00002", drawn / "qc" / "thumbnails"]
    folders += [drawn / "work" / "pictures"]
    for folder in folders:
        (folder / ended).write_text("half")
    assert pictures.main(["--plan", str(plan_file(drawn)), "--batch", "b00002"]) == 0
    assert not any((folder / ended).exists() for folder in folders)


def test_a_batch_without_any_picture_keeps_no_old_sheet(tmp_path):
    drawn = BatchPictures(tmp_path, "b00001")
    drawn.add("sub-1", {}, Image.new("RGB", (THUMB_WIDTH, THUMB_HEIGHT)))
    drawn.finish()
    assert drawn.sheet.is_file()
    BatchPictures(tmp_path, "b00001").finish()
    assert not drawn.sheet.exists() and list(drawn.panels.iterdir()) == []


def test_the_report_knows_the_pictures(drawn):
    assert report.main(["--plan", str(plan_file(drawn))]) == 0
    text = (drawn / "qc" / "data" / "pictures.js").read_text()
    assert "panels/b00002/sub-3.js" in text and "thumbnails/b00001.webp" in text
