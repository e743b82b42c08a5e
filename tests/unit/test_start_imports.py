"""Every start of the workflow waits for what the main process imports: nothing that computes."""

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "workflow_scripts" / "wirbel"
HEAVY = {"numpy", "scipy", "pandas", "nibabel", "SimpleITK", "pyarrow", "torch", "PIL", "cc3d"}


def test_what_runs_in_the_main_process_imports_nothing_that_computes():
    files = [file for part in ("study", "runner") for file in (PACKAGE / part).rglob("[a-z]*.py")]
    modules = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files]
    code = f"import sys, {', '.join(sorted(modules))}; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    line = [sys.executable, "-c", code]
    told = subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout
    assert {"wirbel.study.run", "wirbel.study.workflow.rules"} <= set(told.split())
    assert not HEAVY & set(told.split())
