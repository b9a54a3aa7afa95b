"""Which code measured this? A digest of everything a trial's results can depend on in this package and its study.

It covers the docstring-free syntax trees of `trial.py` and of all it imports statically, core, cli and pages left out:
their meaning is a study's version. A comment or a docstring changes nothing.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from . import find

PACKAGE = Path(__file__).parent.parent
LEFT_OUT = ("core", "cli", "pages", "driver", "terminal", "conformance")


def code_digest(slug: str) -> str:
    """16 hex digits over the syntax of a study's trial and its static import closure."""
    digest = hashlib.sha256()
    for path in sorted(closure(slug), key=_name):
        digest.update(f"{_name(path)}\n{_tree(path)}\n".encode())
    return digest.hexdigest()[:16]


def closure(slug: str) -> set[Path]:
    """The files that trial.py imports, and those they import, within the study and the package."""
    todo, seen = [find.folder(slug) / "trial.py"], set[Path]()
    while todo:
        path = todo.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        todo += list(_imports(path))
    return seen


def _name(path: Path) -> str:
    return str(path.relative_to(PACKAGE)) if path.is_relative_to(PACKAGE) else path.name


def _tree(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
            and body
            and isinstance(body, list)
            and ast.get_docstring(node, clean=False) is not None
        ):
            node.body = body[1:]
    return ast.dump(tree)


def _imports(path: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = _base(path, node.level) if node.level else None
            names = [*(node.module or "").split(".")] if node.module else []
            if base is None and names[:1] != ["unseen"]:
                continue
            place = (PACKAGE if base is None else base).joinpath(*(names[1:] if base is None else names))
            yield from _files(place, [a.name for a in node.names])
        elif isinstance(node, ast.Import):
            for alias in node.names:
                names = alias.name.split(".")
                if names[0] == "unseen":
                    yield from _files(PACKAGE.joinpath(*names[1:]), [])


def _base(path: Path, level: int) -> Path:
    place = path.parent
    for _ in range(level - 1):
        place = place.parent
    return place


def _files(place: Path, names: list[str]) -> Iterator[Path]:
    """The files behind `from place import names`: the module, or the modules of a package."""
    if place.is_relative_to(PACKAGE) and place.relative_to(PACKAGE).parts[:1] in {(p,) for p in LEFT_OUT}:
        return
    if place.with_suffix(".py").is_file():
        yield place.with_suffix(".py")
        return
    if (place / "__init__.py").is_file():
        yield place / "__init__.py"
    for name in names:
        if place != PACKAGE or name not in LEFT_OUT:
            yield place / f"{name}.py"
            yield place / name / "__init__.py"
