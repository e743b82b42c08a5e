"""Benchmarks run by hand only: what they import from the package must still be there."""

import ast
import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
SCRIPTS = sorted(BENCHMARKS.rglob("*.py"))


def _imports(script: Path) -> set[tuple[str, str]]:
    """Return (module, name) of everything that a script imports from the package."""
    nodes = [n for n in ast.walk(ast.parse(script.read_text())) if isinstance(n, ast.ImportFrom)]
    ours = [node for node in nodes if (node.module or "").split(".")[0] == "wirbel"]
    return {(node.module, alias.name) for node in ours for alias in node.names}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(BENCHMARKS)))
def test_what_a_benchmark_imports_exists(script):
    for module, name in sorted(_imports(script)):
        if not hasattr(importlib.import_module(module), name):
            importlib.import_module(f"{module}.{name}")
