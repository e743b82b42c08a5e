"""One grep finds a column where it is declared and where it is computed; codes of status are constants."""

import ast
from pathlib import Path

import pytest

from wirbel.core.dictionary import MEASURED, TABLES
from wirbel.core.measures import status

PACKAGE = Path(status.__file__).parents[2]
DICTIONARY = PACKAGE / "core" / "dictionary"
COMPUTED = ("core", "cohort", "io", "manifests", "stages")
"""Where columns are computed; `phantom` and `core/evaluation` name many of them again, as do `docs`."""
SHARED = PACKAGE / "core" / "measures" / "cord" / "section_columns.py"
"""Canal and cord are measured alike at two places; dictionary and measures take these names from one table."""
CODES = {value for name, value in vars(status).items() if name.isupper() and isinstance(value, str)}
OTHER_MEANINGS = {
    ("core/plausibility/scan_flags.py", status.VOXELS_REPLACED),
    ("core/measures/signal/signals.py", status.VOXELS_REPLACED),
}
"""Flags of a scan's file that share their name with a code."""


def _texts(path: Path) -> set[str]:
    """Return all strings of a module, docstrings and comments aside."""
    tree = ast.parse(path.read_text())
    alone = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    constants = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in alone)
    return {n.value for n in constants if isinstance(n.value, str)}


@pytest.fixture(scope="module")
def declared() -> set[str]:
    return set().union(*map(_texts, [*DICTIONARY.rglob("*.py"), SHARED]))


@pytest.fixture(scope="module")
def computed() -> set[str]:
    outside = (DICTIONARY, PACKAGE / "core" / "evaluation")
    modules = [path for folder in COMPUTED for path in (PACKAGE / folder).rglob("*.py")]
    return set().union(
        *(_texts(p) for p in modules if not any(p.is_relative_to(folder) for folder in outside))
    )


@pytest.mark.parametrize("table", MEASURED)
def test_a_columns_name_stands_literally_where_it_is_declared_and_computed(
    table, declared, computed
):
    names = {column.name for column in TABLES[table]}
    assert names - declared == set()
    assert names - computed == set()


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_codes_of_status_are_constants(path):
    name = str(path.relative_to(PACKAGE))
    if name == "core/measures/status.py":
        return
    found = {(name, text) for text in _texts(path) & CODES}
    assert found <= OTHER_MEANINGS
