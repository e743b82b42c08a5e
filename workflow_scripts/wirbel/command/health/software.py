"""Python, the packages that Wirbel needs, and the workflow's own files."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata

from wirbel import __version__
from wirbel.command.health.findings import FAULT, NOTE, OK, Finding
from wirbel.io.installation import WORKFLOW

PARTS = ("Snakefile", "rules/common.smk", "config/config.yaml", "profiles/default/config.yaml")


def look_at_software() -> Iterator[Finding]:
    """Yield what was found."""
    yield Finding(OK, "Wirbel", f"{__version__}, workflow in {WORKFLOW}")
    missing = [name for name in PARTS if not (WORKFLOW / name).is_file()]
    if missing:
        yield Finding(
            FAULT, "Wirbel", f"{', '.join(missing)} missing in {WORKFLOW}", "Install Wirbel again."
        )
    yield Finding(OK, "Python", f"{platform.python_version()}, {sys.executable}")
    yield from _packages()


def _packages() -> Iterator[Finding]:
    """Compare what is installed with what the package declares."""
    from packaging.requirements import Requirement

    try:
        declared = [Requirement(line) for line in metadata.requires("wirbel") or ()]
    except metadata.PackageNotFoundError:
        yield Finding(
            NOTE,
            "packages",
            "Wirbel is not installed in this Python, so its needs are unknown",
            "In a checkout: make setup, then .venv/bin/wirbel doctor",
        )
        return
    needed = [item for item in declared if not (item.marker and "extra" in str(item.marker))]
    wrong = [told for item in needed if (told := _wrong(item))]
    if wrong:
        remedy = "Install them: make setup in a checkout, otherwise pip install --upgrade wirbel"
        yield Finding(FAULT, "packages", "; ".join(wrong), remedy)
    else:
        yield Finding(OK, "packages", f"all {len(needed)} are there")


def _wrong(needed) -> str:
    """Return what is wrong with a package; empty where it is as declared."""
    try:
        found = metadata.version(needed.name)
    except metadata.PackageNotFoundError:
        return f"{needed.name} is missing"
    public = re.split(r"[+]", found)[0]
    fits = needed.specifier.contains(public, prereleases=True)
    return "" if fits else f"{needed.name} is {found}, expected {needed.specifier}"
