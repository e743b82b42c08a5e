"""What CONTRIBUTING says suffices to add a measure, a model, a stage and a setting, done in a copy that then runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml
from support.studies.toy_workflow import REPOSITORY, STAGE, copy_workflow

MOST_PLACES = 4
TESTS = REPOSITORY / "tests"


def insert(path: Path, before: str, text: str) -> None:
    """Put text into a file, before the first occurrence of other text."""
    content = path.read_text()
    assert before in content, (path, before)
    path.write_text(content.replace(before, text + before, 1))


def run_python(code: str, package: Path, *arguments: object) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{package}{os.pathsep}{TESTS}"}
    line = [sys.executable, "-c", code, *map(str, arguments)]
    subprocess.run(line, env=environment, check=True, timeout=300)


@pytest.mark.parametrize("thing", ["measure", "model", "stage", "setting"])
def test_the_page_lists_at_most_four_places(thing):
    page = (REPOSITORY / "CONTRIBUTING.md").read_text()
    (section,) = re.findall(rf"^## To add a {thing}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    places = re.findall(r"^\d+\. ", section, re.M)
    assert 2 <= len(places) <= MOST_PLACES


COLUMN = """    size(
        "height_sum_mm",
        "Sum of the anterior and the posterior height",
        "height_anterior_mm + height_posterior_mm",
        "height_status",
        (5.0, 90.0),
    ),
"""
SUM = """    row["height_sum_mm"] = None
    if row["height_anterior_mm"] is not None:
        row["height_sum_mm"] = row["height_anterior_mm"] + row["height_posterior_mm"]
"""
MEASURE = """
import sys
from pathlib import Path
from support.spines.solid_spine import SolidSpine, render
from support.studies.measured import gather, measure_two_batches

folder = Path(sys.argv[1])
measure_two_batches(folder, render(SolidSpine()))
gather(folder)
"""


def test_a_measure_is_a_value_in_its_row_and_a_column_in_the_dictionary(tmp_path):
    copy_workflow(tmp_path / "copy")
    package = tmp_path / "copy" / "workflow_scripts"
    core = package / "wirbel" / "core"
    insert(core / "measures" / "vertebrae.py", "    return row | area_columns(", SUM)
    insert(core / "dictionary" / "vertebrae.py", '    _height("height_middle_mm"', COLUMN)
    (tmp_path / "out").mkdir()
    run_python(MEASURE, package, tmp_path / "out")
    tables = tmp_path / "out" / "cohort"
    vertebrae = pd.read_csv(tables / "vertebrae.csv")
    sums = vertebrae.height_anterior_mm + vertebrae.height_posterior_mm
    assert vertebrae.height_sum_mm.notna().any()
    assert (vertebrae.height_sum_mm - sums).abs().max() < 0.002
    described = json.loads((tables / "vertebrae.json").read_text())["height_sum_mm"]
    assert described["Units"] == "mm" and described["MissingExplainedBy"] == "height_status"
    assert "height_sum_mm_z" in pd.read_csv(tables / "vertebrae_z.csv").columns


def test_a_model_is_a_folder_and_an_entry_in_the_registry(workflow):
    registry = workflow.folder / "config" / "models.yaml"
    entries = yaml.safe_load(registry.read_text())
    copies = workflow.folder / "mine"
    for kind in ("semantic", "instance"):
        workflow.model(f"mine/{kind}", kind)
        entry = {**entries["builtin"][kind], "path": f"mine/{kind}"}
        code = "import sys; from wirbel.io.atomic import sha256_of_file as s; print(s(sys.argv[1]))"
        settings = copies / kind / "inference_config.json"
        environment = {**os.environ, "PYTHONPATH": str(workflow.folder / "workflow_scripts")}
        digest = subprocess.run(
            [sys.executable, "-c", code, settings], env=environment, capture_output=True, text=True
        ).stdout.strip()
        entry["sha256"] = {**entry["sha256"], "inference_config.json": digest}
        entries.setdefault("mine", {})[kind] = entry
    registry.write_text(yaml.safe_dump(entries))
    workflow.scan("sub-01", "1")
    told = workflow.run(models="mine")
    assert "1 scan measured, 0 failed" in told
    plan = json.loads((workflow.output / "work" / "plan.json").read_text())
    named = {stage["stage"]: stage["models"] for stage in plan["stages"]}
    assert named["semantic"]["semantic"]["source"] == "mine"
    shutil.rmtree(copies / "instance")
    assert "mine" in workflow.run(fails=True, models="mine")


SETTINGS = """@dataclass(frozen=True)
class DenoiseSettings:
    \"\"\"`noise_mm`: how far noise is smoothed.\"\"\"

    noise_mm: float


"""
DENOISE = STAGE.replace("LETTERS[NAME]", "'d'").replace(
    "from wirbel.core.letters import LETTERS\n", ""
)


def test_a_stage_is_a_module_and_a_line_in_the_table_and_a_setting_a_key_and_a_field(workflow):
    package = workflow.folder / "workflow_scripts" / "wirbel"
    stages, config = package / "stages", workflow.folder / "config"
    # the stage
    (stages / "denoise.py").write_text(DENOISE.format(name="denoise", before="resample"))
    (stages / "semantic.py").write_text(STAGE.format(name="semantic", before="denoise"))
    line = '    StageNeeds("denoise", "Removing noise", 1000, 5, 1),\n'
    insert(package / "plan" / "chain.py", '    StageNeeds("semantic"', line)
    workflow.scan("sub-01", "1")
    workflow.run()
    assert workflow.tables()["scans.csv"] == b"scan_id,value\nsub-01,1RdSIMF\n"
    assert "denoise sub-01" in workflow.computed()
    # its setting
    settings = package / "plan" / "stage_settings.py"
    insert(settings, "OF_STAGES: ", SETTINGS)
    insert(settings, '    "semantic": NetworkSettings', '    "denoise": DenoiseSettings,\n')
    (config / "config.yaml").write_text((config / "config.yaml").read_text() + "noise_mm: 2.0\n")
    schema = json.loads((config / "schemas" / "config.schema.json").read_text())
    schema["properties"]["noise_mm"] = {"type": "number", "minimum": 0, "default": 2.0}
    (config / "schemas" / "config.schema.json").write_text(json.dumps(schema))
    assert "setting noise_mm changed" in workflow.run("--dry-run")
    workflow.run()
    assert workflow.computed() == [
        f"{stage} sub-01" for stage in ("denoise", "features", "instance", "merge", "semantic")
    ]
    assert "denoise        1 scan in 1 of 1 batch: setting noise_mm changed" in workflow.run(
        "--dry-run", noise_mm=3
    )
    assert "setting 'noise_mm': -1 is less than the minimum of 0" in workflow.run(
        fails=True, noise_mm=-1
    )
