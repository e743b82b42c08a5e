"""Both pages for people who do not use a mouse, or do not see well: axe-core finds nothing serious."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.browser.pages import opened
from support.browser.tables_of_scans import DRAWN, draw_one, write_tables

from wirbel.report.cohort_report import Study, write_report

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    output = tmp_path_factory.mktemp("cohort")
    write_tables(output, 80)
    write_report(output, Study("A cohort", "0123", draw_one(output)))
    return output


def findings(page) -> list[str]:
    """What axe-core says is serious: rule, what it is about, and where."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {preload: false, resultTypes: ['violations']})")[
        "violations"
    ]
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("tab_name", ["scans", "counts", "spread", "age"])
def test_the_page_of_the_cohort(tab, cohort, tab_name):
    page = opened(tab, cohort)
    page.keyboard.press("j")
    page.click(f"#tab-{tab_name}")
    page.wait_for_timeout(300)
    assert findings(page) == []


def test_the_page_of_a_scan(tab, cohort):
    assert findings(opened(tab, cohort, f"scan.html#{DRAWN}")) == []


def test_dialogs(tab, cohort):
    page = opened(tab, cohort)
    page.keyboard.press("?")
    assert findings(page) == []


def test_tabs_are_reached_by_arrows_and_the_list_by_keys_alone(tab, cohort):
    page = opened(tab, cohort)
    page.focus("#tab-scans")
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel-counts").is_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("j")
    page.keyboard.press("a")
    assert page.evaluate("Reviews.of('sub-00000').decision") == "accept"


def test_in_print_tools_are_gone_and_every_part_is_there(tab, cohort):
    page = opened(tab, cohort)
    page.emulate_media(media="print")
    assert not page.locator(".tools").first.is_visible()
    assert page.locator("#panel-counts h2").first.is_visible()
