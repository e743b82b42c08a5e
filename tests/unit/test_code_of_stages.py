"""Over all modules that the stages use: every number counts, no docstring and no comment does."""

import ast
from pathlib import Path

import pytest

from wirbel.plan.chain import ALL_STAGES
from wirbel.plan.code.codehash import (
    COUNTED,
    IN_WORDS,
    LEFT_OUT,
    PACKAGE,
    PACKAGE_FOLDER,
    import_closure,
    imported_modules,
)
from wirbel.plan.code.source_code import source_code

KEPT_BY_CODE = (*ALL_STAGES, "annotate", "translate")
"""Stages whose results are kept as long as their code stays the same."""
MODULES = sorted(
    {module for stage in KEPT_BY_CODE for module in import_closure(f"wirbel.stages.{stage}")}
)
"""What per-scan results depend on."""


def _path(module: str) -> Path:
    path = PACKAGE_FOLDER.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _constants(tree: ast.Module):
    """Yield the numbers and names of options that a module or a class of it assigns."""
    for statement in (
        s
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef)
        for s in node.body
    ):
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            for node in ast.walk(statement.value):
                if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                    yield node


def _with_text(source: str, node: ast.expr, text: str) -> str:
    lines = source.encode().split(b"\n")
    line = lines[node.lineno - 1]
    lines[node.lineno - 1] = line[: node.col_offset] + text.encode() + line[node.end_col_offset :]
    return b"\n".join(lines).decode()


COMPUTING = ("core", "io", "ingest", "learning", "models", "phantom")
"""Packages that compute results; `wirbel.errors` and `wirbel.words`, which they use, make sentences."""


@pytest.mark.parametrize("package", COMPUTING)
def test_what_computes_uses_nothing_that_does_not_count(package):
    paths = (PACKAGE_FOLDER / package).rglob("*.py")
    names = (path.relative_to(PACKAGE_FOLDER.parent).with_suffix("") for path in paths)
    used = set().union(*(imported_modules(".".join(name.parts)) for name in names))
    packages = {f"{PACKAGE}.{name}" for name in ("errors", "words", "plan")}
    assert {name for name in used if name.startswith(LEFT_OUT)} <= {*COUNTED, *packages}


@pytest.fixture
def digest(tmp_path):
    def of(module: str, source: str) -> str:
        path = tmp_path / f"{module.split('.')[-1]}.py"
        path.write_text(source)
        words = module.startswith(IN_WORDS)
        code = source_code(module, path, in_words=words)
        return code.wordless if words else code.text

    return of


@pytest.mark.parametrize("module", MODULES)
def test_another_number_in_any_constant_is_other_code(module, digest):
    source = _path(module).read_text()
    before = digest(module, source)
    for node in _constants(ast.parse(source)):
        changed = _with_text(source, node, f"{node.value + 1!r}")
        assert digest(module, changed) != before, (node.lineno, node.value)


@pytest.mark.parametrize("module", MODULES)
def test_other_docstrings_and_comments_are_the_same_code(module, digest):
    source = _path(module).read_text()
    changed = source
    alone = (n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Expr))
    texts = [n for n in alone if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    for node in sorted(texts, key=lambda n: -n.lineno):
        if node.lineno == node.end_lineno:  # of longer ones the whole lines would have to go
            changed = _with_text(changed, node, '"""Other words."""')
    changed = f"# A remark.\n{changed}\n\n# Another one.\n"
    assert digest(module, changed) == digest(module, source)
