"""Every start of the workflow waits for what the main process imports: nothing that computes."""

import os
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "workflow_scripts" / "wirbel"
HEAVY = {"numpy", "scipy", "pandas", "nibabel", "SimpleITK", "pyarrow", "torch", "PIL", "cc3d"}
NEEDLESS = {
    "torch",
    "pandas",
    "pyarrow",
    "matplotlib",
    "SimpleITK",
    "pydicom",
    "requests",
    "urllib3",
    "skimage",
}
"""No stage of the chain needs these at its start; torch comes with the network, if there is a scan to compute."""
RULES = "wirbel.study.workflow"
"""Only these import Snakemake, which brings some of the heavy ones itself."""


def _loaded_with(modules):
    """Return everything that a new process has loaded after importing some modules."""
    code = f"import sys, {', '.join(sorted(modules))}; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    line = [sys.executable, "-c", code]
    told = subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout
    return set(told.split())


def _modules():
    files = [file for part in ("study", "runner") for file in (PACKAGE / part).rglob("[a-z]*.py")]
    return {".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files}


def test_what_runs_in_the_main_process_imports_nothing_that_computes():
    modules = {module for module in _modules() if not module.startswith(RULES)}
    loaded = _loaded_with(modules)
    assert {"wirbel.study.run", "wirbel.study.watching.status"} <= loaded
    assert not HEAVY & loaded


def test_the_rules_import_nothing_that_computes_besides_what_snakemake_does():
    loaded = _loaded_with({module for module in _modules() if module.startswith(RULES)})
    assert f"{RULES}.rules" in loaded
    assert not HEAVY & (loaded - _loaded_with({"snakemake.scheduling.job_scheduler"}))


def test_stages_import_none_of_the_heavy_packages_that_they_can_do_without():
    for stage in ("resample", "semantic", "instance", "merge", "label", "features"):
        needless = NEEDLESS & _loaded_with({f"wirbel.stages.{stage}"})
        assert not needless, f"{stage} starts slowly: {sorted(needless)}"


def test_pydicom_can_be_imported_after_nibabel_was_loaded_without_it():
    assert {"nibabel", "pydicom"} <= _loaded_with({"wirbel.core.geometry", "wirbel.ingest.writing"})
