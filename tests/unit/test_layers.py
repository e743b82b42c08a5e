"""Who may import what: the layers of the package, held by its import graph."""

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest

from wirbel.plan.code.codehash import imported_modules

PACKAGE = Path(__file__).parents[2] / "workflow_scripts" / "wirbel"
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
)
MOST_MODULES = 12
STANDARD = sys.stdlib_module_names
FILES = {"os", "pathlib", "shutil", "tempfile", "io", "gzip", "subprocess", "socket", "glob"}

OUTSIDE = {  # layer -> packages from outside that it may import
    "core": {"numpy", "scipy", "cc3d", "fill_voids", "nibabel", "SimpleITK", "PIL"},
    "phantom": {"numpy", "scipy", "cc3d", "fill_voids", "nibabel"},
    "io": {"numpy", "nibabel", "SimpleITK", "pandas", "pyarrow", "PIL", "yaml"},
    "ingest": {"numpy", "pydicom", "dcm2niix"},
    "runner": {"tqdm", "yaml", "jsonschema"},
    "plan": set(),
    "manifests": set(),
    "cohort": set(),
    "slurm": set(),
    "study": {"yaml", "jsonschema", "snakemake"},
    "report": {"numpy", "jinja2", "PIL", "matplotlib"},
    "models": {"yaml", "jsonschema", "safetensors", "requests", "urllib3", "tqdm"},
    "command": {"yaml", "rich", "shtab", "packaging"},
}
INSIDE = {  # layer -> layers of the package that it may import, besides itself, wirbel.errors and wirbel.words
    "core": set(),
    "phantom": {"core"},
    "io": {"core"},
    "plan": {"core", "io", "models"},
    "ingest": {"core", "io", "plan"},
    "manifests": {"io", "plan"},
    "runner": {"io", "plan", "manifests"},
    "slurm": set(),
    "study": {"core", "io", "models", "plan", "manifests", "runner", "slurm"},
    "models": {"core", "io"},
    "learning": {"core", "phantom", "io", "models"},
    "report": {"core", "io"},
    "cohort": {"core", "io", "manifests", "plan", "runner"},
    "stages": {
        "cohort",
        "report",
        "core",
        "ingest",
        "phantom",
        "io",
        "models",
        "learning",
        "plan",
        "manifests",
        "runner",
    },
    "command": {
        "ingest",
        "io",
        "models",
        "plan",
        "manifests",
        "runner",
        "slurm",
        "study",
        "stages",
    },
    "__main__": {"command"},
}


def _layer(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _imports(module: str) -> set[str]:
    """Return the full names of everything a module imports by statement."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module)
    return names


@pytest.mark.parametrize("module", [m for m in MODULES if _layer(m) in INSIDE])
def test_a_module_imports_only_layers_below_its_own(module):
    layer = _layer(module)
    allowed = INSIDE[layer] | {layer, "errors", "words", ""}
    assert {_layer(name) for name in imported_modules(module)} <= allowed


@pytest.mark.parametrize("module", [m for m in MODULES if _layer(m) in OUTSIDE])
def test_a_module_uses_only_its_layers_packages(module):
    outside = {name.split(".")[0] for name in _imports(module)} - STANDARD - {"wirbel"}
    assert outside <= OUTSIDE[_layer(module)]


@pytest.mark.parametrize("module", [m for m in MODULES if _layer(m) in ("core", "phantom")])
def test_core_and_phantom_touch_no_files_and_of_nibabel_only_geometry(module):
    imports = _imports(module)
    assert not {name.split(".")[0] for name in imports} & FILES
    nibabel = {name for name in imports if name.split(".")[0] == "nibabel"}
    assert nibabel <= {"nibabel.affines", "nibabel.orientations"}


@pytest.mark.parametrize("module", [m for m in MODULES if _layer(m) == "stages"])
def test_a_stage_knows_no_other_stage_and_no_snakemake(module):
    if module == "wirbel.stages":
        return
    imports = imported_modules(module)
    assert {name for name in imports if _layer(name) == "stages"} <= {"wirbel.stages"}
    assert "snakemake" not in {name.split(".")[0] for name in _imports(module)}


def test_only_the_fetcher_may_use_the_network():
    network = {"urllib.request", "http", "socket", "requests", "ssl", "ftplib"}
    users = {
        m for m in MODULES if {part for n in _imports(m) for part in (n, n.split(".")[0])} & network
    }
    # Two others ask `socket` for the machine's name only; the server answers this machine only.
    others = {"wirbel.io.atomic", "wirbel.runner.machine.locks", "wirbel.command.serving.server"}
    assert users <= {"wirbel.models.fetching.fetch"} | others


def test_no_folder_holds_more_than_a_dozen_modules():
    folders = Counter(path.parent for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    full = {str(f.relative_to(PACKAGE)) for f, modules in folders.items() if modules > MOST_MODULES}
    assert full <= {"stages"}  # one module per rule


def test_every_layer_is_covered():
    assert {_layer(m) for m in MODULES} - {"", "errors", "words"} <= set(INSIDE)


def test_one_module_of_the_package_knows_snakemake():
    users = {m for m in MODULES if "snakemake" in {n.split(".")[0] for n in _imports(m)}}
    assert users == {"wirbel.study.workflow.session"}
