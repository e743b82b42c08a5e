"""What the BIDS validator has to say against a data set."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def bids_errors(folder: Path) -> list[str]:
    """Return one line per error; the validator is the one on PyPI, and needs no network."""
    program = Path(sys.executable).with_name("bids-validator-deno")
    line = [str(program), str(folder), "--json"]
    told = json.loads(subprocess.run(line, capture_output=True, text=True).stdout)
    issues = told["issues"]["issues"]
    assert issues, "it looked at nothing"
    return [
        f"{issue['code']} {issue.get('subCode', '')} {issue['location']}"
        for issue in issues
        if issue["severity"] == "error"
    ]
