"""The examples in docstrings are right: doctest runs them in every module that imports without torch."""

import doctest
import importlib
import pkgutil

import pytest

from wirbel import core, errors, io, models, phantom

PACKAGES = (core, io, models, phantom)
FEWEST_EXAMPLES = 20
"""So that examples cannot vanish unnoticed."""


def modules() -> list[str]:
    found = [errors.__name__]
    for package in PACKAGES:
        found += [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    return sorted(found)


def examples(name: str) -> list[doctest.DocTest]:
    module = importlib.import_module(name)
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


@pytest.mark.parametrize("name", [name for name in modules() if examples(name)])
def test_examples_give_what_they_show(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0 and results.attempted > 0


def test_there_are_examples():
    assert sum(len(examples(name)) for name in modules()) >= FEWEST_EXAMPLES
