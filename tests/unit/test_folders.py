"""A study begins from a paper: its slug keeps the rule, its words do no harm, and it passes from the start."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path

import listings
import pytest

from tests.conftest import Said
from unseen import conformance, folders
from unseen.core import find
from unseen.core.errors import Invalid
from unseen.news import nearness
from unseen.news.listing import Entry

pytest.importorskip("feedparser")


@pytest.mark.parametrize("title", [k.title for k in nearness.ours()])
def test_a_proposed_slug_keeps_the_rule_and_is_free(title: str) -> None:
    slug = folders.proposed(title)
    assert conformance.unfit(slug, title) == "" and slug not in find.slugs()


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("GraphX: A Benchmark", "graphx"),
        ("When Do the Networks Generalize to Longer Inputs?", "networks_generalize_longer"),
        ("3D Shapes and 2D Pictures", "shapes_2d_pictures"),
        ("Class: A Study", "class_study"),
        ("A Gödel Machine of $\\beta$-VAE Worlds", "machine_vae_worlds"),
    ],
)
def test_slugs(title: str, slug: str) -> None:
    assert folders.proposed(title) == slug


@pytest.mark.parametrize("title", ["的 中", "42", "", "…", "Ünïcödé"])
def test_a_title_without_plain_words_asks_for_a_slug(title: str) -> None:
    with pytest.raises(Invalid, match="name one yourself"):
        folders.proposed(title)


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    path = tmp_path / "listing.xml"
    path.write_bytes(listings.atom())
    return path


def test_from_a_listing_and_it_passes(unseen: Callable[..., Said], listing: Path) -> None:
    told = unseen("new", "--arxiv", "https://arxiv.org/abs/2511.00101v2", "--papers", listing)
    assert told.code == 0 and "next: unseen validate length_generalization_small" in told.out, told.err
    folder = Path("studies/length_generalization_small")
    paper = find.study(folder.name).paper
    assert (paper.title, paper.arxiv, paper.year) == (listings.PAPERS[0][1], "2511.00101", 2025)
    source, sheet = ((folder / name).read_text() for name in ("study.py", "sheet.md"))
    assert 'axes=("length"' in source and "# guessed from the paper's words" in source
    assert "https://arxiv.org/abs/2511.00101" in sheet and listings.PAPERS[0][2][:30] not in sheet + source
    checked = unseen("validate", folder.name)
    assert checked.code == 0, checked.out
    assert unseen("new", "--arxiv", "2511.00101", "--papers", listing).code == 0, "the next slug that is free"
    assert len(list(Path("studies").iterdir())) == 2


def test_a_hostile_title_does_no_harm(tmp_path: Path) -> None:
    title = '"""\nimport os; os.abort()\n""" + f"{1/0}" \\ <script> $title ${x} \x1b\u202e \' Hostile Words'
    entry = Entry("2511.00107", title, "", (), 2025, "", ())
    folder = folders.new("hostile_words", entry=entry, place=tmp_path / "studies")
    tree = ast.parse((folder / "study.py").read_text(encoding="utf-8"))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "os"]
    (paper,) = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Paper"]
    assert ast.literal_eval(paper.args[0]).endswith("Hostile Words") and "\x1b" not in ast.literal_eval(paper.args[0])
    assert "<script>" not in (folder / "sheet.md").read_text(encoding="utf-8").replace("\\<script\\>", "")


def test_what_cannot_be(unseen: Callable[..., Said], listing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for words, said in (
        (["new"], "unseen new takes a slug"),
        (["new", "--arxiv", "2511.00101"], "give a listing that holds it"),
        (["new", "--arxiv", "omega"], "no number of arXiv's"),
        (["new", "--arxiv", "2511.09999", "--papers", listing], "holds no paper 2511.09999"),
        (["new", "x", "--papers", listing], "add --arxiv"),
        (["new", "x", "--arxiv", "2511.00101", "--from", "echo"], "give one of them"),
        (["new", "No Slug", "--arxiv", "2511.00101", "--papers", listing], "is no slug"),
    ):
        told = unseen(*words)
        assert told.code == 2 and said in told.err, told
    made = unseen("new", "small_transformers", "--arxiv", "2511.00101", "--papers", listing, "--json")
    assert json.loads(made.out) == {"written": ["studies/small_transformers"]}
