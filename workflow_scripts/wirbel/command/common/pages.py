"""Which page of an output folder to show."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import quote

from wirbel.command.common.mistake import Mistake
from wirbel.io.escapes import visible
from wirbel.manifests.batch_assignment import read_assignment

PAGES = ("qc/index.html", "qc/contact_sheet.png")
"""The cohort's pages; the first that is there is shown."""
SCAN_PAGE = "qc/scan.html"
MOST_NAMED = 3


def page_of(folder: Path, scan: str | None) -> str:
    """Return the address of the cohort's or a scan's page below the output folder; raises Mistake."""
    page = next((name for name in PAGES if (folder / name).is_file()), None)
    if page is None:
        raise Mistake(
            f"{folder} has no pages yet: give the output folder of a finished run, or make them with "
            f"wirbel report {shlex.quote(str(folder))}"
        )
    if scan is None:
        return page
    if not (folder / SCAN_PAGE).is_file():
        raise Mistake(
            f"{folder} has no page for one scan: make it with wirbel report {shlex.quote(str(folder))}"
        )
    return f"{SCAN_PAGE}#{quote(_scan_id(folder, scan))}"


def _scan_id(folder: Path, scan: str) -> str:
    """Return a scan's whole name; a participant with one scan stands for that."""
    known = list(read_assignment(folder))
    if scan in known:
        return scan
    wanted = scan if scan.startswith("sub-") else f"sub-{scan}"
    own = [name for name in known if name == wanted or name.startswith(f"{wanted}_")]
    if len(own) == 1:
        return own[0]
    if own:
        shown = ", ".join(own[:MOST_NAMED])
        raise Mistake(f"{scan} has {len(own)} scans: name one of them, such as {visible(shown)}")
    raise Mistake(
        f"there is no scan {scan!r} in {folder}: it has names such as {visible(', '.join(known[:MOST_NAMED]))}"
    )
