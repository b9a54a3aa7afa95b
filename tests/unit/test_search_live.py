"""The server searches by words at once, and by meaning as soon as the embedding is open; whatever trials come in between."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.pages import app, search
from unseen.pages.source import Source

pytest.importorskip("bm25s")
pytest.importorskip("httpx")
testclient = pytest.importorskip("starlette.testclient")
RESULTS = Path(__file__).parents[2] / "results"


class Said:
    """An embedding of one direction a letter: enough to tell whether it was asked."""

    def vectors(self, texts: list[str]) -> Any:
        """Counts of letters, of length 1."""
        found = np.array([[t.lower().count(c) for c in "abcdefghijklmnopqrstuvwxyz"] for t in texts], np.float32)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A source whose embedding is a stand-in."""
    monkeypatch.setattr(search, "embedding", lambda: "minilm")
    monkeypatch.setattr("unseen.models.sentences.open", lambda name: Said())
    return Source(tmp_path, RESULTS)


def test_meaning_comes_when_it_is_learned(source: Source) -> None:
    assert app.index(source).model is None
    client = testclient.TestClient(app.gallery(app.Live(source)))
    assert client.get("/search", params={"q": "implicit reasoning over facts in weights"}).json()[0] == "grokked_transformers"  # fmt: skip
    until = time.monotonic() + 30
    while app.index(source).model is None and time.monotonic() < until:
        time.sleep(0.05)
    assert app.index(source).model is not None
    said = client.get("/search", params={"q": "zzzz qqqq"})  # no word of it is known: only an embedding can answer
    assert said.status_code == 200 and isinstance(said.json(), list)
    (source.home / "trials" / "omega" / "x").mkdir(parents=True)
    (source.home / "trials" / "omega" / "x" / "trial.json").write_text("{}")
    assert app.index(source).model is not None  # one more trial changes nothing of what papers say


def test_without_an_embedding_it_is_words(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "embedding", lambda: None)
    app.learn(source)
    assert app.index(source).model is None


def test_another_paper_is_another_index(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    first = app.index(source)
    found = source.catalogue()
    changed = (replace(found[0], question="Why are zebras striped?"), *found[1:])
    monkeypatch.setattr(Source, "catalogue", lambda self: changed)
    assert app.index(source) is not first
    assert search.answer(app.index(source), "zebras")[0][0] == found[0].slug
