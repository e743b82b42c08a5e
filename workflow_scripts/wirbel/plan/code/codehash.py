"""A hash over the code that decides a stage's result.

It covers the stage's module and every `wirbel` module that it imports, directly or through others,
also inside functions, and the data files beside them. Comments, docstrings and blank lines do not
count, nor do the sentences of errors and the version number (`source_code`), so that neither an
edited sentence nor a release costs a week of computing. The runner, the manifests and the plan are
left out: they decide when a scan is computed, never what comes out (but for `COUNTED`); so are the
reasons of failures.

For per-scan stages the wording of the data dictionaries does not count either: what those modules say in words is
read by the stage `cohort` alone, for which it does.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from wirbel.plan.code.code_memory import CodeMemory
from wirbel.plan.code.source_code import SourceCode

PACKAGE = "wirbel"
PACKAGE_FOLDER = Path(__file__).resolve().parents[2]
LEFT_OUT = tuple(f"{PACKAGE}.{name}" for name in ("runner", "manifests", "plan", "errors", "words"))
COUNTED = tuple(f"{PACKAGE}.plan.{name}" for name in ("series_rules", "checks"))
"""Modules of the plan that `ingest` computes with: they count."""
IN_WORDS = (
    f"{PACKAGE}.core.dictionary",
    f"{PACKAGE}.core.measures.status",
    f"{PACKAGE}.core.plausibility.scan_flags",
)
"""Modules that say in words what columns, codes and flags mean: texts with a blank in them decide no number."""
READERS_OF_WORDS = ("cohort", "contact_sheet", "report", "pictures")
"""Stages whose results hold those words."""
DATA = ("*.json", "*.j2", "*.js", "*.css")
"""Files beside a package's modules that decide what it makes."""


def stage_code_hash(stage: str) -> str:
    """Return the hash (16 hexadecimal digits) of stage `stage`, the module `wirbel.stages.<stage>`."""
    return code_hash(f"{PACKAGE}.stages.{stage}", words=stage in READERS_OF_WORDS)


def code_hash(module: str, *, words: bool = True) -> str:
    """Return the hash (16 hexadecimal digits) of a module and all that it imports within wirbel.

    Without `words`, what the modules `IN_WORDS` say in words, and their data files, do not count.
    """
    digest = hashlib.sha256()
    for name in import_closure(module):
        wordless = not words and name.startswith(IN_WORDS)
        code = _read(name)
        digest.update(f"{name}\0{code.wordless if wordless else code.text}\0".encode())
        for data in () if wordless else _data_files(name):
            digest.update(f"{data.name}\0".encode() + data.read_bytes() + b"\0")
    _memory().keep()
    return digest.hexdigest()[:16]


def import_closure(module: str) -> list[str]:
    """Return the wirbel modules that `module` needs, itself included, sorted, the runner left out."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or (name.startswith(LEFT_OUT) and name not in COUNTED):
            continue
        seen.add(name)
        waiting.extend(imported_modules(name))
    return sorted(seen)


@cache
def imported_modules(module: str) -> frozenset[str]:
    """Return the wirbel modules that one module imports by statement, packages above them included."""
    names = {*_read(module).imports, *_parents(module)}
    within = {name for name in names if name == PACKAGE or name.startswith(f"{PACKAGE}.")}
    return frozenset(name for name in within if _file(name) is not None and name != module)


@cache
def _read(module: str) -> SourceCode:
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"there is no module {module}")
    return _memory().of(module, path, in_words=module.startswith(IN_WORDS))


@cache
def _memory() -> CodeMemory:
    return CodeMemory(PACKAGE_FOLDER)


def _data_files(module: str) -> list[Path]:
    """Return the data files of a package; a module that is none has none."""
    path = _file(module)
    if path is None or path.name != "__init__.py":
        return []
    return sorted(data for pattern in DATA for data in path.parent.glob(pattern))


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


@cache
def _file(module: str) -> Path | None:
    """Return a wirbel module's source file, or None when there is no such module."""
    path = PACKAGE_FOLDER.joinpath(*module.split(".")[1:])
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
