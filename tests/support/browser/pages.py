"""Opening pages from the disk, and waiting for them."""

from __future__ import annotations

import time

WAIT_SECONDS = 20


def opened(tab, output, page="index.html"):
    """Open a page of `qc/` from the disk; return the tab when the page is ready."""
    tab.goto((output / "qc").as_uri() + "/" + page)
    tab.wait_for_selector("body[data-ready=true]")
    return tab


def until(page, holds: str) -> None:
    """Wait until a JavaScript expression holds; the page's own policy forbids the driver's way of waiting."""
    end = time.monotonic() + WAIT_SECONDS
    while not page.evaluate(holds):
        assert time.monotonic() < end, f"still not: {holds}"
        time.sleep(0.05)
