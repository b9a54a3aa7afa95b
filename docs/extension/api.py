"""What can be imported, and how is it called? One page a module, read from the sources: nothing is imported.

pages()["parts/unseen.measures.coherence.rst"]  ->  the module's docstring, its classes with their fields, its functions
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import unseen

from . import signatures
from .prose import written

ROOT = Path(unseen.__file__).parent
CORE = ("study", "plan", "lab", "row", "record", "task", "model", "effect", "claim", "stats", "ledger", "card", "find", "errors")  # fmt: skip
TOP = ("driver", "cards", "rewards")
PARTS = {
    "core": "what a study is made of",
    "tasks": "data with reference and shifted splits",
    "models": "what is asked",
    "methods": "how it is trained or prompted",
    "measures": "what is read off it",
    "logs": "what other harnesses wrote",
}


def pages() -> dict[str, str | bytes]:
    """`parts/MODULE.rst` for every public module, and `parts/index.md` with all of them."""
    known = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in sources().items()}
    homes = signatures.Homes.of(known)
    made = {f"parts/{name}.rst": _page(name, tree, homes) for name, tree in known.items()}
    return {**made, "parts/index.md": _index(known)}


@cache
def sources() -> dict[str, Path]:
    """Module -> its file. Modules of a study, of the pages and of the command line are no library."""
    found = {f"unseen.core.{name}": ROOT / "core" / f"{name}.py" for name in CORE}
    found |= {f"unseen.{name}": ROOT / f"{name}.py" for name in TOP}
    for part in PARTS:
        if part != "core":
            found |= {f"unseen.{part}.{p.stem}": p for p in sorted((ROOT / part).glob("[a-z]*.py"))}
    found["unseen.models"] = ROOT / "models" / "__init__.py"
    return {name: path for name, path in found.items() if path.is_file() and path.stat().st_size}


@cache
def tagged(module: str) -> tuple[str, dict[str, tuple[str, int, int]]] | None:
    """A module's source and where its parts stand in it, for the pages with sources; None for one not listed."""
    path = sources().get(module)
    if path is None:
        return None
    code = path.read_text(encoding="utf-8")
    return code, dict(_tags(ast.parse(code), ""))


def _tags(tree: ast.Module | ast.ClassDef, inside: str) -> Iterator[tuple[str, tuple[str, int, int]]]:
    """(`Class.method`, (what it is, its first line, its last)) of everything that a module or class defines."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            kind = "class" if isinstance(node, ast.ClassDef) else "def"
            yield inside + node.name, (kind, first, node.end_lineno or first)
            if isinstance(node, ast.ClassDef):
                yield from _tags(node, f"{inside}{node.name}.")


def _index(known: dict[str, ast.Module]) -> str:
    """All modules by part, each with the question it answers."""
    lines = ["# The parts as a library\n", "What `import unseen` gives at once: " + _names() + ".\n"]
    for part, says in {"": "to run and to judge", **PARTS}.items():
        prefix = f"unseen.{part}" if part else "unseen"
        mine = [n for n in known if n == prefix or n.rpartition(".")[0] == prefix]
        mine = [n for n in mine if part or n.rpartition(".")[2] in TOP]
        lines += [f"## {prefix}: {says}\n", *(f"- [{n}]({n}.rst): {_first(known[n])}" for n in mine), ""]
    return "\n".join(lines)


def _names() -> str:
    """The table of contents of the package, each name with a link to where it is defined."""
    homes: dict[str, str] = vars(unseen)["_HOMES"]
    return ", ".join(f"[{n}](unseen.{homes[n]}.rst)" for n in unseen.__all__)


def _first(tree: ast.Module) -> str:
    """The first line of a module's docstring: the question it answers."""
    from .found import plain

    return plain((ast.get_docstring(tree) or "").partition("\n")[0])


def _page(name: str, tree: ast.Module, homes: signatures.Homes) -> str:
    """A module as reStructuredText. It stands in no tree of pages: 100 of them would fill the sidebar of each."""
    head = [
        ":orphan:",
        "",
        name,
        "=" * len(name),
        "",
        f".. py:module:: {name}",
        "",
        written(ast.get_docstring(tree) or ""),
        "",
    ]
    source = sources()[name].read_text(encoding="utf-8").splitlines()
    return "\n".join([*head, *_members(name, tree, homes, source)]) + "\n"


def _members(name: str, tree: ast.Module, homes: signatures.Homes, source: list[str]) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield from _object("function", node, homes.signature(name, node))
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _class(name, node, homes, source)
        elif alias := signatures.aliased(node):
            yield from (f".. py:type:: {alias}", f"   :canonical: {homes.words(name, node.value)}", "")


def _class(name: str, node: ast.ClassDef, homes: signatures.Homes, source: list[str]) -> Iterator[str]:
    """A class with its fields, its methods and its properties."""
    bases = {ast.unparse(b).rpartition(".")[2] for b in node.bases}
    kind = "exception" if any(b.endswith("Error") or b == "Exception" for b in bases) else "class"
    yield from _object(kind, node, homes.constructor(name, node))
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.target.id[0] != "_":
            yield from _field(part, homes.words(name, part.annotation), source)
        elif isinstance(part, ast.FunctionDef) and not part.name.startswith("_") and ast.get_docstring(part):
            marks = {ast.unparse(d) for d in part.decorator_list}
            if "property" in marks:
                told = f"\n   :type: {homes.words(name, part.returns)}" if part.returns else ""
                yield from _indented(_object("property", part, told))
            else:
                static = (
                    "classmethod" if "classmethod" in marks else "staticmethod" if "staticmethod" in marks else "method"
                )
                yield from _indented(_object(static, part, homes.signature(name, part, bound=static != "staticmethod")))


def _field(node: ast.AnnAssign, words: str, source: list[str]) -> Iterator[str]:
    """A field with its type, its default and the comment behind it."""
    assert isinstance(node.target, ast.Name)
    yield f"   .. py:attribute:: {node.target.id}"
    yield f"      :type: {words}"
    if node.value is not None and len(told := ast.unparse(node.value)) < 40 and not told.startswith("field("):
        yield f"      :value: {told}"
    yield ""
    _, sign, comment = source[(node.end_lineno or node.lineno) - 1][(node.end_col_offset or 0) :].partition("# ")
    if sign and not comment.startswith(("type:", "noqa", "pyright")):
        yield f"      {written(comment)}"
        yield ""


def _object(kind: str, node: Any, signature: str) -> Iterator[str]:
    """A directive of the Python domain with the docstring in it."""
    yield f".. py:{kind}:: {node.name}{signature}"
    yield ""
    for line in written(ast.get_docstring(node) or "").splitlines():
        yield f"   {line}".rstrip()
    yield ""


def _indented(lines: Iterator[str]) -> Iterator[str]:
    for text in lines:
        yield from (f"   {line}".rstrip() for line in text.splitlines() or [""])
