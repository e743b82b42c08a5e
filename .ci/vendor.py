#!/usr/bin/env python3
"""Fetch the JavaScript that is kept in the repository, at the versions of its lists: `python .ci/vendor.py`.

Each list is a `vendored.json`: package, version, licence, and the files taken from it with their SHA-256. Needs npm.
With `--record` the checksums are written down instead of compared: after a version was changed, and looked at.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LISTS = (
    REPOSITORY / "workflow_scripts" / "wirbel" / "report" / "vendor" / "vendored.json",
    REPOSITORY / "tests" / "browser" / "vendor" / "vendored.json",
)


def read_list(path: Path) -> list[dict]:
    """Return the packages of a list."""
    return json.loads(path.read_text(encoding="utf-8"))


def sha256_of(content: bytes) -> str:
    """Return the hexadecimal SHA-256."""
    return hashlib.sha256(content).hexdigest()


def wrong_files(path: Path) -> list[str]:
    """Return the files beside a list that are missing or do not have their checksum."""
    found = []
    for package in read_list(path):
        for name, known in package["files"].items():
            file = path.parent / Path(name).name
            if not file.is_file() or sha256_of(file.read_bytes()) != known:
                found.append(file.name)
    return found


def fetched(package: dict) -> dict[str, bytes]:
    """Return name -> content of the files of a package, as npm delivers it."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{package['package']}@{package['version']}"
        line = ["npm", "pack", "--silent", "--pack-destination", folder, wanted]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as packed:
            return {n: packed.extractfile(f"package/{n}").read() for n in package["files"]}


def fetch(path: Path, record: bool) -> None:
    """Write the files of a list; raises SystemExit for one that does not have its checksum."""
    packages = read_list(path)
    for package in packages:
        for name, content in fetched(package).items():
            if record:
                package["files"][name] = sha256_of(content)
            elif sha256_of(content) != package["files"][name]:
                sys.exit(f"{package['package']}: {name} does not have its checksum of {path}")
            (path.parent / Path(name).name).write_bytes(content)
    path.write_text(json.dumps(packages, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Fetch the files of all lists."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the checksums down")
    record = parser.parse_args().record
    for path in LISTS:
        fetch(path, record)


if __name__ == "__main__":
    main()
