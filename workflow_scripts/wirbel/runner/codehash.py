"""A hash over the code that decides a stage's result.

It covers the stage's module and every `wirbel` module that it imports, directly or through others,
also inside functions, and the data files beside them. Comments, docstrings and blank lines do not count, nor do the
sentences of errors and the version number, so that neither an edited sentence nor a release costs a week of
computing. The runner and the plan are left out: they decide when a scan is computed, never what comes out; so are
the reasons of failures.

For per-scan stages the wording of the data dictionaries does not count either: what those modules say in words is
read by the stage `cohort` alone, for which it does.
"""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from functools import cache
from pathlib import Path

PACKAGE = "wirbel"
PACKAGE_FOLDER = Path(__file__).resolve().parents[1]
LEFT_OUT = (f"{PACKAGE}.runner", f"{PACKAGE}.plan", f"{PACKAGE}.errors")
IN_WORDS = (
    f"{PACKAGE}.core.dictionary",
    f"{PACKAGE}.core.measures.status",
    f"{PACKAGE}.core.plausibility.scan_flags",
)
"""Modules that say in words what columns, codes and flags mean: texts with a blank in them decide no number."""
READERS_OF_WORDS = ("cohort", "contact_sheet", "report")
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
        digest.update(f"{name}\0{_wordless(name) if wordless else _read(name)[1]}\0".encode())
        for data in () if wordless else _data_files(name):
            digest.update(f"{data.name}\0".encode() + data.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def import_closure(module: str) -> list[str]:
    """Return the wirbel modules that `module` needs, itself included, sorted, the runner left out."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or name.startswith(LEFT_OUT):
            continue
        seen.add(name)
        waiting.extend(imported_modules(name))
    return sorted(seen)


def imported_modules(module: str) -> frozenset[str]:
    """Return the wirbel modules that one module imports by statement, packages above them included."""
    return _read(module)[0]


@cache
def _read(module: str) -> tuple[frozenset[str], str]:
    """Return a module's imports and its source as far as it counts; the syntax tree, which is large, is not kept."""
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"there is no module {module}")
    source = path.read_text(encoding="utf-8")
    statements = _statements(source)
    return _imports(module, statements), _effective_source(source, statements)


@cache
def _wordless(module: str) -> str:
    """Return what a module says besides texts with a blank in them."""
    return _dump(ast.parse(_file(module).read_text(encoding="utf-8")))


def _data_files(module: str) -> list[Path]:
    """Return the data files of a package; a module that is none has none."""
    path = _file(module)
    if path.name != "__init__.py":
        return []
    return sorted(data for pattern in DATA for data in path.parent.glob(pattern))


def _dump(tree: ast.AST) -> str:
    """Return a tree as text, without the texts in it that have a blank."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            node.value = ""
        elif isinstance(node, ast.JoinedStr):
            node.values = [part for part in node.values if not isinstance(part, ast.Constant)]
    return ast.dump(tree)


def _statements(source: str) -> list[ast.AST]:
    """Return all statements, inner ones included; expressions are not looked into, which takes long."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, name, ())
            found += inner
            waiting += inner
    return found


def _imports(module: str, statements: list[ast.AST]) -> frozenset[str]:
    names = set(_parents(module))
    for node in statements:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    within = {name for name in names if name == PACKAGE or name.startswith(f"{PACKAGE}.")}
    return frozenset(name for name in within if _file(name) is not None and name != module)


def _absolute(module: str, node: ast.ImportFrom) -> str:
    """Return the full name of the module in `from X import ...`, relative or not."""
    if not node.level:
        return node.module or ""
    package = module.split(".")
    if _file(module).name != "__init__.py":
        package = package[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join(package + ([node.module] if node.module else []))


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


def _effective_source(source: str, statements: list[ast.AST]) -> str:
    """Return a source without comments, docstrings, blank lines and trailing blanks."""
    lines = source.splitlines()
    # the tokenizer is slow, and every start of the scheduler waits for it
    tokens = tokenize.generate_tokens(io.StringIO(source).readline) if "#" in source else ()
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in statements:
        alone = _is_alone(node, lines)
        if alone and (_is_text(node) or _is_version(node)):
            _replace(node, lines, "")
        elif alone and isinstance(node, ast.Raise):
            _replace(node, lines, " " * node.col_offset + _dump(node))
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _replace(node: ast.AST, lines: list[str], text: str) -> None:
    lines[node.lineno - 1 : node.end_lineno] = [text, *[""] * (node.end_lineno - node.lineno)]


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a docstring or other bare constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_version(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else ()
    return any(isinstance(target, ast.Name) and target.id == "__version__" for target in targets)


def _is_alone(node: ast.AST, lines: list[str]) -> bool:
    """Whether a statement is a simple one with nothing beside it on its lines."""
    if not isinstance(node, ast.Expr | ast.Assign | ast.Raise):
        return False
    before = lines[node.lineno - 1].encode()[: node.col_offset]
    after = lines[node.end_lineno - 1].encode()[node.end_col_offset :]
    return not before.strip() and not after.strip()
