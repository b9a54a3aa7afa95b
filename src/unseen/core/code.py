"""Which code measured this? A digest of everything in this package and its study that a trial's results can depend on.

It covers the docstring-free syntax trees of `trial.py` and of all it imports statically. Left out are the house (core,
cli, driver, pages: the meaning of a record is a study's version) and, of `study.py` and of packages' `__init__.py`,
every statement that the trial does not use: a claim's wording, another tier's sizes or a neighbour that a package
offers beside it change nothing that was measured. A comment changes nothing.

    code_digest("length_generalization")  ->  '5b0c94f1d0e3a2c7'
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import find

PACKAGE = Path(__file__).parent.parent
COVERED = ("studies", "methods", "measures", "models", "tasks")  # of the package; all else is the house
ALL = frozenset(("*",))  # every statement of a file

Used = tuple[Path, frozenset[str]]  # a file, and the names that are wanted of it


@dataclass(frozen=True)
class Statement:
    """A top-level statement of a file: its tree, the names it binds and those it reads, its text without docstrings,
    and the nodes within it that import."""

    tree: ast.stmt
    defined: frozenset[str]
    read: frozenset[str]
    plain: str
    imports: tuple[ast.AST, ...]


def code_digest(slug: str) -> str:
    """16 hex digits over the syntax of a study's trial and its static import closure."""
    digest = hashlib.sha256()
    for name, text in sorted(_closed(slug).items()):
        digest.update(f"{name}\n{text}\n".encode())
    return digest.hexdigest()[:16]


def closure(slug: str) -> set[Path]:
    """The files that trial.py imports, and those they import, within the study and the package."""
    return set(_wanted(slug))


def _closed(slug: str) -> dict[str, str]:
    study = find.folder(slug)
    found: dict[str, str] = {}
    for path, names in _wanted(slug).items():
        inside, name = path.is_relative_to(study), path.relative_to(study if path.is_relative_to(study) else PACKAGE)
        statements = [s for s in _statements(path, names) if not _of_house(s.tree, path)]
        found[f"{'study' if inside else 'unseen'}/{name}"] = "\n".join(s.plain for s in statements)
    return found


def _parsed(path: Path) -> tuple[Statement, ...]:
    """The statements of a file as it is now; one that did not change is parsed once."""
    told = path.stat()
    return _parsed_as(path, told.st_mtime_ns, told.st_size)


@cache
def _parsed_as(path: Path, _changed: int, _size: int) -> tuple[Statement, ...]:
    text = path.read_text(encoding="utf-8")
    trees, spare = ast.parse(text).body, ast.parse(text).body  # `_plain` takes docstrings out of what it is given
    return tuple(
        Statement(t, frozenset(_defined(t)), frozenset(_read(t)), _plain(s), tuple(filter(_importing, ast.walk(t))))
        for t, s in zip(trees, spare, strict=True)
    )


def _importing(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom) or (isinstance(node, ast.Name) and node.id == "import_module")


def _wanted(slug: str) -> dict[Path, frozenset[str]]:
    """Every file of the closure with the names wanted of it (ALL but of the study's study.py and of packages)."""
    study = find.folder(slug)
    todo: list[Used] = [(study / "trial.py", ALL)]
    seen: dict[Path, frozenset[str]] = {}
    while todo:
        path, names = todo.pop()
        names = names if path == study / "study.py" or _only_offers(path) else ALL
        before = seen.get(path)
        if not path.is_file() or (before is not None and names <= before):
            continue
        seen[path] = names | (before or frozenset())
        todo += _imports(path, seen[path])
    return seen


def _only_offers(path: Path) -> bool:
    """Whether a file is a package's `__init__.py` that does nothing but import names for others."""
    if path.name != "__init__.py" or not path.is_file():
        return False
    return all(isinstance(s.tree, ast.ImportFrom) or _is_text(s.tree) for s in _parsed(path))


def _statements(path: Path, names: frozenset[str]) -> Sequence[Statement]:
    """The top-level statements of a file that define these names, and those that they use in turn, in their order."""
    body = _parsed(path)
    if names & ALL:
        return body
    kept: set[int] = set()
    wanted, done = set(names), set[str]()
    while wanted - done:
        done |= wanted
        for i, statement in enumerate(body):
            if i not in kept and statement.defined & done:
                kept.add(i)
                wanted |= statement.read
    return [s for i, s in enumerate(body) if i in kept]


def _defined(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement binds (or changes, as `TABLE[k] = v` and `TABLE.append(v)` do)."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(a.asname or a.name).split(".")[0] for a in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    inside = {
        (a.asname or a.name).split(".")[0]
        for n in ast.walk(statement)
        if isinstance(n, ast.Import | ast.ImportFrom)
        for a in n.names
    }
    return _read(statement) | inside


def _read(statement: ast.stmt) -> set[str]:
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
    texts = [n.value for n in ast.walk(statement) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return names | {t for t in texts if t.isidentifier()}  # an annotation may be written as text


def _plain(statement: ast.stmt) -> str:
    """A statement's tree without docstrings."""
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and _is_text(node.body[0]):
            node.body = node.body[1:]
    return "" if _is_text(statement) else ast.dump(statement)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _of_house(statement: ast.stmt, path: Path) -> bool:
    """Whether a statement only imports from the house, whose names mean the same to every study."""
    if not isinstance(statement, ast.ImportFrom):
        return False
    place = _place(path, statement)
    return place is not None and place.is_relative_to(PACKAGE) and place != PACKAGE and not _covered(place)


def _covered(place: Path) -> bool:
    return not place.is_relative_to(PACKAGE) or place.relative_to(PACKAGE).parts[:1] in {(p,) for p in COVERED}


def _imports(path: Path, names: frozenset[str]) -> Iterator[Used]:
    for statement in _statements(path, names):
        for node in statement.imports:
            if isinstance(node, ast.ImportFrom) and (place := _place(path, node)) is not None:
                yield from _files(place, [a.name for a in node.names])
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    first, *rest = alias.name.split(".")
                    if first == "unseen":
                        yield from _files(PACKAGE.joinpath(*rest), [])
            elif isinstance(node, ast.Name) and path.parent != PACKAGE:
                yield from _called(path)


def _called(path: Path) -> Iterator[Used]:
    """The neighbours whose names stand as texts in a module that imports by name: it may depend on any of them."""
    texts = {n.value for s in _parsed(path) for n in ast.walk(s.tree) if isinstance(n, ast.Constant)}
    yield from ((p, ALL) for p in sorted(path.parent.glob("*.py")) if p.stem in texts)


def _place(path: Path, node: ast.ImportFrom) -> Path | None:
    """What `from X import …` names, as a path without its suffix; None outside the study and the package."""
    names = node.module.split(".") if node.module else []
    if node.level:
        return path.parents[node.level - 1].joinpath(*names)
    return PACKAGE.joinpath(*names[1:]) if names[:1] == ["unseen"] else None


def _files(place: Path, names: Sequence[str]) -> Iterator[Used]:
    """The files behind `from place import names`: the module, or a package with the modules named, and its parents'."""
    if place != PACKAGE and not _covered(place):
        return
    for parent in place.parents if place.is_relative_to(PACKAGE) else ():
        if parent.is_relative_to(PACKAGE) and parent != PACKAGE:
            yield parent / "__init__.py", frozenset()
    module = place.with_name(f"{place.name}.py")
    if module.is_file():
        yield module, frozenset(names) or ALL
        return
    if place != PACKAGE:
        yield place / "__init__.py", frozenset(names) or ALL
    for name in names:
        if _covered(place / name):
            yield place / f"{name}.py", ALL
            yield place / name / "__init__.py", ALL
