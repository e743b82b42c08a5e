#!/usr/bin/env python3
"""Write docs/licences.md: the licence of every package that Wirbel is tested with, as the package itself states it.

Run with the environment's Python after a change of pyproject.toml or constraints.txt: `make licences`.
"""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PAGE = REPOSITORY / "docs" / "licences.md"
VENDORED = (
    REPOSITORY / "workflow_scripts" / "wirbel" / "report" / "vendor" / "vendored.json",
    REPOSITORY / "tests" / "browser" / "vendor" / "vendored.json",
)
VENDORED_HEADER = """## JavaScript in this repository

Unchanged files, with their licences beside them: the QC report loads the first three, its tests the last.

| package of npm | licence |
|---|---|"""
LONGEST = 110
SPELLINGS = {
    "Apache Software License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "LGPL-3.0": "LGPL-3.0-or-later",
}
"""How packages spell it -> how SPDX does, where that is plain."""
FIRST_LINES = {
    r"^\s*(The )?MIT License": "MIT",
    r"^\s*Apache License": "Apache-2.0",
    r"Redistribution and use in source and binary forms": "BSD",
    r"Permission is hereby granted, free of charge": "MIT",
}
"""How licences begin, or a sentence of theirs."""
UNKNOWN = "not stated"
HEADER = """\
# Licences

Wirbel is under {own}. It needs the packages below, which are installed beside it and are not part of it. A licence is
given as the package itself states it; ask its authors where that matters to you. Networks have licences of their own:
[models.md](models.md#licences-and-citations).

Written by `make licences`.

"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the text of docs/licences.md."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = _names(project["dependencies"])
    tests = _names(project["optional-dependencies"]["test"])
    pins = pinned()
    through = [name for name in pins if name not in {*direct, *tests}]
    parts = [
        _table("What Wirbel uses itself", direct, pins),
        _table("What its tests and checks use", tests, pins),
        _table("What these need in turn", through, pins),
    ]
    parts.append(_vendored())
    return HEADER.format(own=project["license"]["text"]) + "\n".join(parts)


def _vendored() -> str:
    """Return the table of the JavaScript that is kept in the repository."""
    rows = [
        f"| {one['package']} {one['version']} | {one['licence']} |"
        for path in VENDORED
        for one in json.loads(path.read_text(encoding="utf-8"))
    ]
    return "\n".join([VENDORED_HEADER, *rows, ""])


def pinned() -> dict[str, str]:
    """Return the version of every package in constraints.txt."""
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonical(name): version for name, version in pairs}


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(name: str) -> str:
    """Return what an installed package states: an SPDX expression, a classifier, or its licence's first line."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return UNKNOWN
    stated = [
        found.metadata.get("License-Expression"),
        *_classifiers(found),
        found.metadata.get("License"),
    ]
    for text in stated:
        plain = " ".join((text or "").split())
        if plain and plain != "UNKNOWN" and len(plain) <= LONGEST:
            return SPELLINGS.get(plain, plain)
    return _from_text(found)


def _classifiers(found: Distribution) -> list[str]:
    known = [
        text for text in found.metadata.get_all("Classifier") or [] if text.startswith("License")
    ]
    names = [text.rpartition("::")[2].strip() for text in known]
    names = [SPELLINGS.get(name, name) for name in names if name != "OSI Approved"]
    return [" or ".join(names)] if names else []


def _from_text(found: Distribution) -> str:
    """Recognise a licence by its text, in the package's metadata or among its files."""
    texts = [found.metadata.get("License") or ""]
    for file in found.files or []:
        if re.match(r"(?i)licen[cs]e|copying", file.name) and ".dist-info" in str(file):
            texts.append(file.read_text(encoding="utf-8"))
    for text in texts:
        for pattern, name in FIRST_LINES.items():
            if re.search(pattern, text):
                return name
    return UNKNOWN


def _names(requirements: list[str]) -> list[str]:
    return [canonical(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in requirements]


def _table(title: str, names: list[str], pins: dict[str, str]) -> str:
    rows = [f"| {name} | {pins[name]} | {licence(name)} |" for name in sorted(names)]
    return "\n".join(
        [f"## {title}", "", "| package | version | licence |", "|---|---|---|", *rows, ""]
    )


if __name__ == "__main__":
    main()
