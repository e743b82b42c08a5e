"""The page of one scan in a browser, from the disk: pictures, layers, numbers, three planes, keys."""

from __future__ import annotations

import pytest
from support.browser.pages import opened, until
from support.browser.tables_of_scans import DRAWN, SPOILT, draw_one, write_tables

from wirbel.report.cohort_report import Study, write_report


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    output = tmp_path_factory.mktemp("cohort")
    write_tables(output, 60)
    warnings = {DRAWN: {"canal_broken": "beside L3"}}
    write_report(output, Study("A cohort", "0123", draw_one(output), warnings=warnings))
    return output


@pytest.fixture
def page(tab, cohort):
    return opened(tab, cohort, f"scan.html#{DRAWN}")


def test_pictures_names_and_flags_are_there(page):
    assert page.locator("h1").inner_text() == DRAWN
    until(page, "[...document.images].every((one) => one.naturalWidth > 0)")
    assert page.locator("#views figure").count() == 6
    about = page.locator("aside.about").inner_text()
    assert "canal broken: the canal is missing" in about and "Here: beside L3" in about
    names = page.locator(".stack").nth(1).locator("text").all_text_contents()
    assert names == ["L3", "L4"]
    assert not page.locator("#unsure").is_visible()
    page.evaluate(
        f"rows.find((row) => row.scan_id === '{DRAWN}').level_confidence = 0.59; showScan()"
    )
    until(page, "!document.getElementById('unsure').hidden")
    assert page.locator(".stack").nth(1).locator("text").all_text_contents() == ["L3?", "L4?"]


def test_keys_switch_layers(page):
    def structures() -> bool:
        return page.locator(".layer-structures").first.is_visible()

    assert structures()
    page.keyboard.press("v")
    assert not structures() and page.locator(".layer-vertebrae").first.is_visible()
    page.keyboard.press("i")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('line.layer-lines')).display")
        != "none"
    )


@pytest.mark.parametrize("width", [1440, 1000])
def test_the_three_sagittal_views_of_a_wide_scan_stay_side_by_side(tab, cohort, width):
    tab.set_viewport_size({"width": width, "height": 900})
    page = opened(tab, cohort, f"scan.html#{DRAWN}")
    page.evaluate(
        "document.querySelectorAll('#views section:first-child .stack').forEach((one) => {"
        "one.style.setProperty('--shape', 0.8); one.style.aspectRatio = '0.8'; })"
    )
    boxes = [
        page.locator("#views section").first.locator("figure").nth(i).bounding_box()
        for i in range(3)
    ]
    assert len({box["y"] for box in boxes}) == 1
    assert boxes[-1]["x"] + boxes[-1]["width"] <= page.locator("aside.about").bounding_box()["x"]
    shapes = page.evaluate(
        "[...document.querySelectorAll('#views section:first-child .stack')]"
        ".map((one) => one.clientWidth / one.clientHeight)"
    )
    assert all(abs(shape - 0.8) < 0.02 for shape in shapes), "in true proportions"


def test_numbers_stand_beside_those_of_their_level(page):
    page.click("#numbers button:has-text('Height anterior')")
    assert page.locator("#strip h3").inner_text() == "Height anterior (mm)"
    assert page.locator("#strip circle").count() == 2


def test_text_of_files_is_shown_and_not_run(page):
    assert SPOILT in page.locator("aside.about").inner_text()
    assert page.evaluate("window.spoilt === undefined")


def test_three_planes_of_a_flagged_scan_are_drawn_without_a_server(page):
    page.click("#planes button")
    page.wait_for_selector("#planes-canvas[data-ready=true]")


def test_a_scan_without_pictures_says_so_and_keys_lead_on(page):
    page.keyboard.press("j")
    until(page, "document.querySelector('h1').textContent === 'sub-00002'")
    assert "No picture" in page.locator("main").inner_text()
    page.keyboard.press("k")
    page.keyboard.press("r")
    assert "Review: rejected" in page.locator("aside.about").inner_text()
    page.keyboard.press("u")
    assert "Not reviewed" in page.locator("aside.about").inner_text()


def test_the_list_shows_the_thumbnail_and_leads_to_the_scan(tab, cohort):
    page = opened(tab, cohort)
    assert page.locator("#scans .thumb:not(.none)").count() == 1
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/scan.html#{DRAWN}")
