"""The code hash changes with the code that a stage uses, and with nothing else."""

import os
import sys
import time

import pytest

from wirbel.plan.code import code_memory, codehash


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package: stages.one -> core.a -> core.b (inside a function); core.other unused."""
    files = {
        "__init__.py": '__version__ = "1.0"\n',
        "errors.py": 'REASONS = {"bad": "it is bad"}\n',
        "core/dictionary/__init__.py": "from wirbel.core.dictionary.columns import COLUMNS\n",
        "core/dictionary/columns.py": 'COLUMNS = [("size", "A size", f"{3} times as long", 0.5)]\n',
        "core/dictionary/table.json": "[1]",
        "core/dictionary/more.json": "[]",
        "core/__init__.py": "",
        "core/a.py": "def f():\n    from .b import g\n    return g()\n",
        "core/b.py": '"""A module."""\n\ndef g():\n    """Say one."""\n    return 1  # one\n',
        "core/c.py": "from wirbel.errors import REASONS\n\ndef h(x):\n    if x:\n        x = 1\n"
        "        raise ValueError('bad', f'expected 1, got {x}')\n",
        "core/other.py": "x = 1\n",
        "stages/__init__.py": "",
        "core/short.py": 'def f(): "x"; return 1\n',
        "stages/one.py": "import numpy\n"
        "from wirbel.core import a, c, dictionary, short\nfrom wirbel.runner import r\n",
        "stages/cohort.py": "from wirbel.core import dictionary\n",
        "runner/__init__.py": "",
        "runner/r.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(codehash, "PACKAGE_FOLDER", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path


CACHED = (codehash._read, codehash._file, codehash._memory, codehash.imported_modules)
"""What remembers the package; a change in the middle of a process is not expected."""


def _hash(stage="one"):
    for function in CACHED:
        function.cache_clear()
    return codehash.stage_code_hash(stage)


@pytest.fixture(autouse=True)
def _forget_the_small_package():
    yield
    for function in CACHED:
        function.cache_clear()


def test_the_closure_follows_imports_inside_functions_and_stops_at_the_runner(package):
    _hash()
    assert codehash.import_closure("wirbel.stages.one") == [
        "wirbel",
        "wirbel.core",
        "wirbel.core.a",
        "wirbel.core.b",
        "wirbel.core.c",
        "wirbel.core.dictionary",
        "wirbel.core.dictionary.columns",
        "wirbel.core.short",
        "wirbel.stages",
        "wirbel.stages.one",
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "counts"),
    [
        ("core/b.py", "return 1", "return 2", True),
        ("core/b.py", "# one", "# the number one", False),
        ("core/b.py", '"""Say one."""', '"""Return one."""', False),
        ("core/b.py", "\n\ndef", "\n\n\ndef", False),
        ("core/short.py", "return 1", "return 2", True),
        ("core/other.py", "1", "2", False),
        ("stages/one.py", "numpy", "scipy", True),
        ("__init__.py", "1.0", "1.1", False),
        ("errors.py", "it is bad", "it is really bad", False),
        ("core/c.py", "expected 1, got", "one was expected, found", False),
        ("core/c.py", "'bad'", "'worse'", True),
        ("core/c.py", "{x}", "{x + 1}", True),
        ("core/c.py", "        raise", "    raise", True),
        ("core/dictionary/columns.py", "A size", "The size", False),
        ("core/dictionary/columns.py", "times as long", "times longer", False),
        ("core/dictionary/columns.py", '"size"', '"length"', True),
        ("core/dictionary/columns.py", "0.5", "0.6", True),
        ("core/dictionary/columns.py", "{3}", "{4}", True),
        ("core/dictionary/table.json", "1", "2", False),
    ],
)
def test_what_counts_as_a_change(package, name, old, new, counts):
    before = _hash()
    path = package / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert (_hash() != before) is counts


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("core/dictionary/columns.py", "A size", "The size"),
        ("core/dictionary/table.json", "1", "2"),
    ],
)
def test_for_the_tables_the_dictionaries_wording_counts(package, name, old, new):
    before = _hash("cohort")
    (package / name).write_text((package / name).read_text().replace(old, new))
    assert _hash("cohort") != before


def test_an_unknown_stage_is_named():
    with pytest.raises(ModuleNotFoundError, match="no_such_stage"):
        codehash.stage_code_hash("no_such_stage")


def test_what_was_read_is_remembered_and_a_settled_file_is_not_read_again(package, monkeypatch):
    for path in package.rglob("*.py"):
        os.utime(path, (1, 1))
    monkeypatch.setattr(code_memory, "SETTLED_SECONDS", -1)
    before = _hash()
    assert (package / "__pycache__" / code_memory.FILE_NAME).exists()
    monkeypatch.setattr(code_memory, "source_code", None)  # nothing is left to read
    assert _hash() == before


def test_a_change_that_keeps_size_and_time_stamp_is_noticed(package, monkeypatch):
    monkeypatch.setattr(code_memory, "SETTLED_SECONDS", -1)
    path = package / "core" / "b.py"
    os.utime(path, (1, 1))
    before = _hash()
    time.sleep(0.01)  # a change of the file's own record, whose time nobody can set
    path.write_text(path.read_text().replace("return 1", "return 2"))
    os.utime(path, (1, 1))
    assert _hash() != before


def test_a_file_that_has_just_changed_is_not_remembered(package):
    _hash()
    known = package / "__pycache__" / code_memory.FILE_NAME
    assert not known.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"reader": "an older one", "known": {}}'])
def test_a_damaged_memory_is_done_without(package, monkeypatch, text):
    before = _hash()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / code_memory.FILE_NAME).write_text(text)
    assert _hash() == before
