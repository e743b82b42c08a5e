"""Public functions with many parameters say what each one is, in numpydoc's sections."""

import ast
from pathlib import Path

import pytest

from wirbel.core.measures import status

PACKAGE = Path(status.__file__).parents[2]
FOLDERS = ("core", "io", "learning", "models")
MANY = 4
"""Functions with fewer parameters name them in a sentence."""


def _functions(path: Path):
    """Yield (name, arguments, docstring) of the public functions of a module."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            given = (*node.args.args, node.args.vararg, *node.args.kwonlyargs)
            arguments = [argument.arg for argument in given if argument]
            yield node.name, arguments, ast.get_docstring(node) or ""


MODULES = sorted(path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py"))


def _lacks(path: Path) -> set[str]:
    name = str(path.relative_to(PACKAGE))
    return {
        f"{name}:{function}"
        for function, arguments, text in _functions(path)
        if len(arguments) >= MANY and "Parameters\n----------\n" not in text
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_public_function_has_a_docstring_and_many_parameters_are_listed(path):
    assert all(text for _, _, text in _functions(path))
    assert _lacks(path) == set()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_sections_list_the_parameters_that_there_are(path):
    for name, arguments, text in _functions(path):
        if "Parameters\n----------\n" not in text:
            continue
        section = text.split("Parameters\n----------\n")[1].split("\n\n")[0]
        heads = [line for line in section.split("\n") if line and not line.startswith(" ")]
        listed = [part.strip(" *") for head in heads for part in head.split(" : ")[0].split(",")]
        assert listed == arguments, name
