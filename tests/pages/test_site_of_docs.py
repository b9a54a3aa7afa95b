"""The docs build without a warning, lead nowhere that is not there, and load nothing from elsewhere."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

DOCS = Path(__file__).parents[2] / "docs"
sys.path.append(str(DOCS))  # the extension that makes the pages


class Links(HTMLParser):
    """What a page links to, what it loads, and the places in it that have a name."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.loads: set[str] = set()
        self.places: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {k: v or "" for k, v in attrs}
        self.places |= {told[k] for k in ("id", "name") if k in told}
        if tag == "a" and "href" in told:
            self.links.add(told["href"])
        loaded = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}.get(tag)
        if loaded in told and told.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loads.add(told[loaded])


@pytest.mark.slow
def test_the_site_is_whole(tmp_path: Path) -> None:
    if any(find_spec(name) is None for name in ("sphinx", "furo", "myst_parser")):
        pytest.skip("building the docs needs the extra docs")
    source, site = tmp_path / "docs", tmp_path / "site"
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("made", "__pycache__"))
    told = {**os.environ, "PYTHONPATH": str(DOCS.parent / "src"), "UNSEEN_STUDIES": ""}
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-d",
        str(tmp_path / "trees"),
        str(source),
        str(site),
    ]
    done = subprocess.run(command, env=told, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = {p.resolve(): Links(p) for p in site.rglob("*.html")}
    assert len(pages) > 100
    broken = {
        f"{page.relative_to(site)}: {link}"
        for page, found in pages.items()
        for link in found.links | found.loads
        if not _leads(page, link, pages)
    }
    assert broken == set()
    assert {x for found in pages.values() for x in found.loads if urlsplit(x).scheme or x.startswith("//")} == set()
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import\s*)['\"]?(https?:)?//", style.read_text("utf-8")), style


def _leads(page: Path, link: str, pages: dict[Path, Links]) -> bool:
    """Whether a link leads to a file of the site, and to a place in it; other hosts are not asked."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if target.suffix != ".html" or target not in pages:
        return target.is_file()
    return not parts.fragment or unquote(parts.fragment) in pages[target].places


def test_docstrings_become_pages_as_they_are_meant() -> None:
    from extension import prose

    text = (
        "The mean of `a_b` [seed] and *c_.\n\n    f(x)  ->  1.5\n    g(y)\n\nErrors as `coherence`\nsays.\n- one\n- two"
    )
    told = prose.written(text)
    assert "``a_b``" in told and "\\*c\\_" in told
    assert ".. code-block:: none\n\n   f(x)  ->  1.5\n   g(y)" in told
    plain = prose.written("A question?\n\ncoherence(net, (x, y)).alpha  ->  3.9\n\nIt ends.")
    assert plain.count("code-block") == 1 and plain.endswith("It ends.")


def test_types_lead_home() -> None:
    from extension import signatures

    trees = {
        "unseen.core.a": ast.parse("class Row: ...\nLoss = Callable[[int], float]"),
        "unseen.core.b": ast.parse("from .a import Row as R\nfrom .a import Loss"),
        "unseen.tasks.c": ast.parse(
            "from unseen.core.b import R, Loss\ndef f(self, x: R, *, y: Loss | None = None) -> list[R]: ..."
        ),
    }
    homes = signatures.Homes.of(trees)
    function = trees["unseen.tasks.c"].body[1]
    assert isinstance(function, ast.FunctionDef)
    assert homes.signature("unseen.tasks.c", function, bound=True) == (
        "(x: unseen.core.a.Row, *, y: unseen.core.a.Loss | None=None) -> list[unseen.core.a.Row]"
    )


def test_claims_lie_on_the_axes_of_what_they_read() -> None:
    from extension import found

    on = found.claims_on("length_generalization", "laptop")
    assert on["C1b"] == {"length"}
    assert on["C7a"] == {"place"}
    assert set(found.claims_on("inductive_bias", "laptop")["K1"]) == {"example"}
    assert found.plain("a_b `c_d` <e> `f").startswith("a\\_b `c_d` \\<e\\> ")
