#!/usr/bin/env python3
"""Look the pinned packages up among known vulnerabilities, where a service for that can be reached.

Fails (1) when a package has a vulnerability that `.ci/audit-accepted.txt` does not name. Without a network, or where
the service does not know the packages, it says that nothing was audited, and that is no failure (0).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
ENVIRONMENT = REPOSITORY / ".venv-audit"
TOOL = "pip-audit==2.10.1"
ACCEPTED = Path(__file__).with_name("audit-accepted.txt")
LONGEST_SECONDS = 600


def main() -> int:
    """Audit constraints.txt; return the exit code."""
    program = install(ENVIRONMENT)
    if program is None:
        print(f"audit: nothing was audited, since {TOOL} could not be installed (no network?)")
        return 0
    return report(audit(program), accepted())


def install(environment: Path) -> Path | None:
    """Return the program pip-audit in an environment of its own, or None where it cannot be had."""
    program = environment / "bin" / "pip-audit"
    if program.exists():
        return program
    line = [environment / "bin" / "python", "-m", "pip", "install", "-qq"]
    try:
        subprocess.run(
            [sys.executable, "-m", "venv", environment], check=True, timeout=LONGEST_SECONDS
        )
        subprocess.run(
            [*line, "--disable-pip-version-check", TOOL],
            check=True,
            timeout=LONGEST_SECONDS,
            stderr=subprocess.DEVNULL,
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return program if program.exists() else None


def audit(program: Path) -> dict | None:
    """Return what pip-audit found, or None where it reached no service."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "found.json")
        line = [program, "--disable-pip", "--no-deps", "--progress-spinner", "off"]
        line += ["-r", REPOSITORY / "constraints.txt", "-f", "json", "-o", found]
        try:
            subprocess.run(line, timeout=LONGEST_SECONDS, capture_output=True)
            return json.loads(found.read_text(encoding="utf-8"))
        except (subprocess.SubprocessError, OSError, ValueError):
            return None


def accepted() -> set[str]:
    """Return the vulnerabilities that were looked at and do not concern us."""
    lines = ACCEPTED.read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def report(found: dict | None, known: set[str]) -> int:
    """Print what was found; return the exit code."""
    packages = (found or {}).get("dependencies", [])
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        print(
            "audit: nothing was audited, since no service that knows the packages could be reached"
        )
        return 0
    wrong = [
        f"audit: {package['name']} {package['version']}: {one['id']}, fixed in {_versions(one)}"
        for package in audited
        for one in package.get("vulns", [])
        if not known & {one["id"], *one.get("aliases", [])}
    ]
    print(
        "\n".join(
            [
                *wrong,
                f"audit: {len(audited)} of {len(packages)} packages audited, {len(wrong)} findings",
            ]
        )
    )
    if wrong:
        print(
            f"audit: raise the pins in constraints.txt, or name what does not concern us in {ACCEPTED.name}"
        )
    return 1 if wrong else 0


def _versions(vulnerability: dict) -> str:
    return ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"


if __name__ == "__main__":
    sys.exit(main())
