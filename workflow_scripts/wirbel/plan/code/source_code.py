"""What one module says, as far as it decides results: its imports, and its source without words for people.

Comments, docstrings and blank lines do not count, nor do the sentences of errors and the version number.
"""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SourceCode:
    """`imports` are the full names that a module imports, `text` and `wordless` are digests.

    `wordless` leaves out texts with a blank in them, too: what a table says in words; empty where nobody asks for it.
    """

    imports: tuple[str, ...]
    text: str
    wordless: str


def source_code(module: str, path: Path, *, in_words: bool = False) -> SourceCode:
    """Read a module's file; `in_words` asks for what it says besides words, too."""
    source = path.read_text(encoding="utf-8")
    statements = _statements(source)
    imports = _imports(module, statements, is_package=path.name == "__init__.py")
    effective = _effective_source(source, statements)
    wordless = _digest(_without_words(ast.parse(source))) if in_words else ""
    return SourceCode(tuple(sorted(imports)), _digest(effective), wordless)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _without_words(tree: ast.AST) -> str:
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


def _imports(module: str, statements: list[ast.AST], *, is_package: bool) -> set[str]:
    names: set[str] = set()
    for node in statements:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(module, node, is_package)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return names


def _absolute(module: str, node: ast.ImportFrom, is_package: bool) -> str:
    """Return the full name of the module in `from X import ...`, relative or not."""
    if not node.level:
        return node.module or ""
    package = module.split(".") if is_package else module.split(".")[:-1]
    package = package[: len(package) - node.level + 1]
    return ".".join(package + ([node.module] if node.module else []))


def _effective_source(source: str, statements: list[ast.AST]) -> str:
    """Return a source without comments, docstrings, blank lines and trailing blanks."""
    lines = source.splitlines()
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
            _replace(node, lines, " " * node.col_offset + _without_words(node))
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _replace(node: Any, lines: list[str], text: str) -> None:
    lines[node.lineno - 1 : node.end_lineno] = [text, *[""] * (node.end_lineno - node.lineno)]


def _is_text(node: ast.AST) -> bool:
    """Whether a statement is a docstring or other bare constant."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_version(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else ()
    return any(isinstance(target, ast.Name) and target.id == "__version__" for target in targets)


def _is_alone(node: Any, lines: list[str]) -> bool:
    """Whether a statement is a simple one with nothing beside it on its lines."""
    if not isinstance(node, ast.Expr | ast.Assign | ast.Raise):
        return False
    before = lines[node.lineno - 1].encode()[: node.col_offset]
    after = lines[(node.end_lineno or node.lineno) - 1].encode()[node.end_col_offset :]
    return not before.strip() and not after.strip()
