"""A headless Chromium of the system, and pages opened from the disk in it."""

from __future__ import annotations

import os
import shutil

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""Containers have no user namespaces for the sandbox; three planes are drawn without a GPU."""


@pytest.fixture(scope="module")
def chromium():
    """A running browser. Without Chromium these tests are left out, unless WIRBEL_REQUIRE_BROWSER asks for them.

    It ends with its module: while it runs, so does its event loop, which other tests cannot share.
    """
    if CHROMIUM is None:
        missing = "no Chromium to open the pages with (as root: apt install chromium)"
        if os.environ.get("WIRBEL_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium):
    """A tab of its own, without earlier reviews; whatever the page complains of fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None
    )
    yield page
    context.close()
    assert complaints == []
