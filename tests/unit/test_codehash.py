"""The code hash changes with the code that a stage uses, and with nothing else."""

import pytest

from wirbel.runner import codehash


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package: stages.one -> core.a -> core.b (inside a function); core.other unused."""
    files = {
        "__init__.py": "",
        "core/__init__.py": "",
        "core/a.py": "def f():\n    from .b import g\n    return g()\n",
        "core/b.py": '"""A module."""\n\ndef g():\n    """Say one."""\n    return 1  # one\n',
        "core/other.py": "x = 1\n",
        "stages/__init__.py": "",
        "core/short.py": 'def f(): "x"; return 1\n',
        "stages/one.py": "import numpy\n"
        "from wirbel.core import a, short\nfrom wirbel.runner import r\n",
        "runner/__init__.py": "",
        "runner/r.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(codehash, "PACKAGE_FOLDER", tmp_path)
    return tmp_path


CACHED = (codehash._read, codehash._file)
"""What remembers the package; a change in the middle of a process is not expected."""


def _hash():
    for function in CACHED:
        function.cache_clear()
    return codehash.stage_code_hash("one")


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
    ],
)
def test_what_counts_as_a_change(package, name, old, new, counts):
    before = _hash()
    path = package / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert (_hash() != before) is counts


def test_an_unknown_stage_is_named():
    with pytest.raises(ModuleNotFoundError, match="no_such_stage"):
        codehash.stage_code_hash("no_such_stage")
