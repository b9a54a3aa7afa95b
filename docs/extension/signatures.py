"""How is a function called? Its signature with types that name their homes, so that pages can link to them.

Homes(trees).signature("unseen.core.claim", node)  ->  "(claim: unseen.core.claim.Claim, …) -> unseen.core.claim.Verdict"
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass


@dataclass(frozen=True)
class Homes:
    """Where each name of each module was defined."""

    trees: Mapping[str, ast.Module]
    known: Mapping[str, Mapping[str, tuple[str, str]]]  # module -> name -> (module it comes from, its name there)

    @classmethod
    def of(cls, trees: Mapping[str, ast.Module]) -> Homes:
        """The homes of all names in these modules."""
        return cls(trees, {module: dict(_known(module, tree)) for module, tree in trees.items()})

    def signature(self, module: str, node: ast.FunctionDef, *, bound: bool = False) -> str:
        """The arguments and what is returned; of a method without its first argument."""
        args = deepcopy(node.args)
        if bound:
            (args.posonlyargs or args.args).pop(0)
        told = ast.unparse(self._named(module, args))
        return f"({told})" + (f" -> {self.words(module, node.returns)}" if node.returns else "")

    def constructor(self, module: str, node: ast.ClassDef) -> str:
        """How an instance is made: by its `__init__`, or by the fields of a dataclass; nothing for other classes."""
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                return self.signature(module, part, bound=True).partition(" -> ")[0]
        if not any("dataclass" in ast.unparse(d) for d in node.decorator_list):
            return ""
        fields = [p for p in node.body if isinstance(p, ast.AnnAssign) and isinstance(p.target, ast.Name)]
        told = [ast.unparse(p.target) + ("" if p.value is None else "=…") for p in fields]
        return f"({', '.join(told)})"

    def words(self, module: str, node: ast.expr | None) -> str:
        """An annotation, its names led home."""
        return "" if node is None else ast.unparse(self._named(module, deepcopy(node)))

    def _named(self, module: str, node: ast.AST) -> ast.AST:
        homes = self

        class Led(ast.NodeTransformer):
            def visit_Name(self, name: ast.Name) -> ast.AST:
                return ast.Name(homes.home(module, name.id), name.ctx)

        if isinstance(node, ast.arguments):
            for arg in (*node.posonlyargs, *node.args, *node.kwonlyargs, node.vararg, node.kwarg):
                if arg is not None and arg.annotation is not None:
                    arg.annotation = Led().visit(arg.annotation)
            return node
        return Led().visit(node)

    def home(self, module: str, name: str) -> str:
        """The full name of what a module calls by that name, where a page tells of it; else the name."""
        source, original = self.known.get(module, {}).get(name, ("", name))
        if source == module:
            return f"{module}.{name}"
        return self.home(source, original) if source in self.trees else name


def _known(module: str, tree: ast.Module) -> Iterator[tuple[str, tuple[str, str]]]:
    """What a module imports from others, then what it defines itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((a.asname or a.name, (_from(module, node), a.name)) for a in node.names)
    for node in tree.body:
        for name in (getattr(node, "name", ""), aliased(node)):
            if name:
                yield name, (module, name)


def aliased(node: ast.AST) -> str:
    """The name of the type that a statement gives another name, such as `Loss = Callable[…]`; empty for others."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return ""
    name, value = node.targets[0].id, ast.unparse(node.value)
    told = name[0].isupper() and not name.isupper() and not value.startswith(("TypeVar", "ParamSpec"))
    return (
        name if told and isinstance(node.value, ast.Subscript | ast.BinOp | ast.Name | ast.Attribute | ast.Call) else ""
    )


def _from(module: str, node: ast.ImportFrom) -> str:
    """The module that an import names, relative or not."""
    if not node.level:
        return node.module or ""
    above = module.split(".")[: -node.level]
    return ".".join([*above, *([node.module] if node.module else [])])
