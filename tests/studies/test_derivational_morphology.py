"""Derivational morphology: words, prompts and lines are what they should be; known speakers get the verdicts they must."""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unseen.core import find
from unseen.core.claim import judge
from unseen.core.errors import Invalid, Missing, Unknown
from unseen.core.lab import Lab
from unseen.core.model import Answer
from unseen.core.plan import plan
from unseen.core.record import Item, Records, Row
from unseen.core.study import values_of
from unseen.studies.derivational_morphology import (
    arms,
    learners,
    lexicon,
    lines,
    probed,
    prompting,
    seen,
    tasks,
    trial,
    twin,
)
from unseen.studies.derivational_morphology.arms import Cognitive, Probed, Taught
from unseen.studies.derivational_morphology.study import STUDY

SLUG = "derivational_morphology"
TWIN = twin.made()
SMALL = Taught("uniform", made=6, items=20, width=16, layers=1, heads=2, steps=20, batch=16)


class Speaker:
    """A model that prefers -ity by `odds` nats of each base."""

    def __init__(self, odds: Mapping[str, float], says: str = "") -> None:
        self.odds, self.says = odds, says
        self.asked: list[tuple[str, str]] = []

    def logprobs(self, prompts: Sequence[str], answers: Sequence[str]) -> list[float]:
        self.asked += list(zip(prompts, answers, strict=True))
        return [-20.0 + self._of(a.strip()) for a in answers]

    def generate(self, prompts: Sequence[str], **words: Any) -> list[Answer]:
        return [Answer(self.says or p.partition(": ")[2].split()[0], "stop", 3) for p in prompts]

    def _of(self, derivative: str) -> float:
        for base, odds in self.odds.items():
            for suffix, sign in (("ity", 0.5), ("ness", -0.5)):
                if lexicon.derivative(base, lexicon.ending_of(base), suffix) == derivative:
                    return sign * odds
        return 0.0


def told(setting: Any, monkeypatch: pytest.MonkeyPatch, model: Any = None, seeds: tuple[int, ...] = (0,)) -> list[Row | Item]:  # fmt: skip
    if model is not None:
        monkeypatch.setattr(probed.models, "open", lambda name, **words: model)
    return list(trial.run(setting, Lab.alone(seeds=seeds)))


def items_of(rows: Sequence[Row | Item], measure: str) -> list[Item]:
    return [r for r in rows if isinstance(r, Item) and measure in r.scores]


# --- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "ity", "ness"),
    [("available", "availability", "availableness"), ("pepulative", "pepulativity", "pepulativeness"), ("cormasive", "cormasivity", "cormasiveness"), ("curious", "curiosity", "curiousness"), ("boyish", "boyishity", "boyishness")],
)  # fmt: skip
def test_derivatives_are_spelled_as_in_the_release(base: str, ity: str, ness: str) -> None:
    ending = lexicon.ending_of(base)
    assert (lexicon.derivative(base, ending, "ity"), lexicon.derivative(base, ending, "ness")) == (ity, ness)


def test_words_of_no_ending_are_refused() -> None:
    with pytest.raises(Invalid, match="none of -able"):
        lexicon.ending_of("green")
    with pytest.raises(Invalid, match="does not end in -ive"):
        lexicon.derivative("green", "ive", "ity")


def test_the_twin_is_a_lexicon_as_the_released_one_is() -> None:
    assert {w.ending for w in TWIN.nonce} == set(lexicon.ENDINGS) and len(TWIN.nonce) == 40
    assert not {w.sounds for w in TWIN.nonce} & {e.sounds for e in TWIN.entries}
    assert all(lexicon.derivative(e.base, e.ending, e.suffix) == e.derivative for e in TWIN.entries)
    assert {e.suffix for e in TWIN.entries if e.ending == "ish"} == {"ness"}
    assert any(len(held) == 2 for held in TWIN.bases.values())
    TWIN.sounds.encoded([e.sounds for e in TWIN.entries])


def test_files_that_are_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "ive.in"
    path.write_text("Input forms:\natɪv\tatɪvɪti\tmany\tative\tativity\tity\nTest forms:\nbɪv\n", encoding="utf-8")
    with pytest.raises(Invalid, match="line 2"):
        lexicon.exemplars(path, "ive")
    path.write_text("Input forms:\n", encoding="utf-8")
    with pytest.raises(Invalid, match="Test forms"):
        lexicon.exemplars(path, "ive")


def test_released_files_are_never_a_silent_twin(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNSEEN_DATA", raising=False)
    monkeypatch.setenv("UNSEEN_OFFLINE", "1")
    with pytest.raises(Missing, match=r"\$UNSEEN_DATA/nominalization"):
        lexicon.opened("released")


def test_made_words_are_new_and_the_same_for_all() -> None:
    words = learners.joined(TWIN, "ive", 8)
    assert words == learners.joined(TWIN, "ive", 8) and len({w.sounds for w in words}) == 8
    assert not {w.sounds for w in words} & ({e.sounds for e in TWIN.entries} | {w.sounds for w in TWIN.nonce})
    assert all(w.sounds.endswith("iv") for w in words)


def test_seen_adjectives_are_of_their_group_and_band() -> None:
    chosen = seen.sampled(TWIN, 5)
    groups = {(s.group, s.band) for s in chosen}
    assert {g for g, _ in groups} == set(seen.GROUPS)
    for s in chosen:
        held = TWIN.bases[s.entry.ending, s.entry.base]
        assert s.entry.count == max(e.count for e in held) == s.count
        assert s.count <= 10 if s.band == "low" else s.count >= 100
        assert s.group == f"{learners.kind_of(s.entry.ending)} {s.entry.suffix}"
    assert len([s for s in chosen if (s.group, s.band) == ("regular ity", "high")]) == 5
    assert len(seen.sampled(TWIN, 0)) > len(chosen)


def test_counts_of_another_corpus() -> None:
    pytest.importorskip("wordfreq")
    like = replace(TWIN.entries[0], base="sensitive", derivative="sensitivity", ending="ive", count=7)
    held = seen.recounted(replace(TWIN, entries=(like, *TWIN.entries)), "wordfreq")
    assert held.entries[0].count > 1_000 and np.mean([e.count == 0 for e in held.entries]) > 0.9
    assert seen.recounted(TWIN, "pile") is TWIN


# --- what speakers say -----------------------------------------------------------------------------------------------


def test_scores_say_who_chooses_alike() -> None:
    word = next(w for w in TWIN.nonce if w.ending == "able")
    said = {"gcm_type": {word.base: 0.9}, "people": {word.base: 0.2}}
    found = learners.scores(0.75, word, said)
    assert found == {"ity": 0.75, "as_gcm_type": 0.75, "as_people": 0.25, "regular": 0.75, "expected": 0.25}


def test_words_that_are_exemplars_are_left_out_of_what_is_fitted_to() -> None:
    word = lexicon.Nonce("tariv", "tarive", "ive")
    pairs = [("tariv", "ity", 999), ("tarik", "ness", 5), ("dariv", "ness", 5)]
    assert all(shares["tarive"] == 0.0 for shares in learners.learned(pairs, [word], TWIN).values())


def test_learners_agree_with_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    for who, how in learners.LEARNERS:
        rows = told(Cognitive(who, how), monkeypatch)  # type: ignore[arg-type]
        assert {i.scores[f"as_{who}_{how}"] for i in items_of(rows, "ity")} == {1.0}
    people = told(Cognitive("people"), monkeypatch)
    assert {i.scores["expected"] for i in items_of(people, "ity")} == {1.0}
    coins = told(Cognitive("coin"), monkeypatch, seeds=(0, 1, 2))
    assert len({tuple(i.scores["ity"] for i in items_of(coins, "ity") if i.seed == s) for s in (0, 1, 2)}) == 3


# --- prompts ---------------------------------------------------------------------------------------------------------


def test_there_are_twelve_prompts_of_three_kinds() -> None:
    assert len(prompting.FORMS) == 12 and [prompting.KINDS.count(k) for k in prompting.PROMPTS] == [4, 4, 4]
    assert not any("{}" in f for f in prompting.PROMPTS["target"])
    assert all("{}" in f for k in ("base", "instruction") for f in prompting.PROMPTS[k])


def test_odds_are_differences_of_what_the_model_says() -> None:
    model = Speaker({"pepulative": 3.0, "glopous": -1.0})
    both = [("pepulativity", "pepulativeness"), ("gloposity", "glopousness")]
    found = prompting.odds(model, ["pepulative", "glopous"], both)
    assert found["sum"].shape == (12, 2)
    assert np.allclose(found["sum"], [[3.0, -1.0]]) and np.allclose(found["pmi"], 0.0)  # alone it says the same
    lengths = [[len(" " + d) for d in pair] for pair in both]
    wanted = [(-20 + o / 2) / a - (-20 - o / 2) / b for o, (a, b) in zip((3.0, -1.0), lengths, strict=True)]
    assert np.allclose(found["token"], [wanted])
    assert ("Adjective: pepulative\nNominalization:", " pepulativity") in model.asked
    assert ("Noun:", " glopousness") in model.asked and ("", " gloposity") in model.asked
    assert ("pepulative", " pepulativeness") in model.asked


def test_tokens_are_counted_where_they_are_known(home: Path) -> None:
    from unseen import models

    model = models.open("tiny:gpt2")
    found = prompting.odds(model, ["tarive"], [("tarivity", "tariveness")])
    asked = [(f.format("tarive"), f" {d}") for f in prompting.FORMS for d in ("tarivity", "tariveness")]
    told = model.logprobs([p for p, _ in asked], [a for _, a in asked]).reshape(12, 2)
    assert np.allclose(found["sum"][:, 0], told[:, 0] - told[:, 1], atol=1e-4)
    assert np.allclose(found["token"][:, 0], [a / 9 - b / 11 for a, b in told], atol=1e-4)  # bytes, the space counted


def test_models_without_scores_are_asked_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mute:
        def generate(self, prompts: Sequence[str], **words: Any) -> list[Answer]:
            return [Answer(f"I say {p.partition(': ')[2].split()[0]}.", "stop", 3) for p in prompts]  # the first named

    with pytest.raises(Invalid, match="how=chosen"):
        prompting.odds(Mute(), ["tarive"], [("tarivity", "tariveness")])
    assert prompting.choices(Mute(), ["tarive"], [("tarivity", "tariveness")]).tolist() == [[1.0], [-1.0]]
    ness = Speaker({}, says="it is Tariveness")
    assert prompting.choices(ness, ["tarive"], [("tarivity", "tariveness")]).tolist() == [[-1.0], [-1.0]]
    assert prompting.choices(Speaker({}, says="no"), ["tarive"], [("tarivity", "tariveness")]).tolist() == [
        [0.0],
        [0.0],
    ]
    rows = told(Probed(arms.UNTRAINED, "nonce", how="chosen"), monkeypatch, Mute())
    assert {i.scores["ity"] for i in items_of(rows, "ity")} == {0.5}


@pytest.mark.parametrize(
    ("name", "size"),
    [("hf:EleutherAI/pythia-1.4b", 1400), ("hf:EleutherAI/pythia-70m", 70), ("hf:EleutherAI/gpt-j-6b", 6000), ("smollm2", 0), ("hf:a/SmolLM2-135M-Instruct", 135)],
)  # fmt: skip
def test_sizes_are_read_off_names(name: str, size: float) -> None:
    assert prompting.millions(name) == size
    assert len({prompting.millions(m) for m in arms.PYTHIA}) == 8  # as many as a rank over models needs


def test_a_speaker_with_known_preferences_is_scored_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    said = learners.references(TWIN)
    odds = {w.base: said["gcm_token"][w.base] - 0.5 for w in TWIN.nonce}
    rows = told(Probed(arms.UNTRAINED, "nonce"), monkeypatch, Speaker(odds))
    plain = [i for i in items_of(rows, "ity") if i.at["score"] == "sum"]
    assert len(plain) == 3 * 40 and {i.scores["as_gcm_token"] for i in plain} == {1.0}
    votes = {r.at["word"]: r.at["votes"] for r in rows if isinstance(r, Row) and r.measure == "said_ity"}
    assert votes == {w: round(v, 4) for w, v in said["people"].items()}


def test_seen_adjectives_are_scored_by_what_was_met_more(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = seen.sampled(TWIN, 4)
    right = {s.entry.base: (1.0 if s.entry.suffix == "ity" else -1.0) * s.count for s in chosen}
    rows = told(Probed(arms.UNTRAINED, "seen", each=4), monkeypatch, Speaker(right))
    assert {i.scores["expected"] for i in items_of(rows, "expected") if i.at["score"] == "sum"} == {1.0}
    sure = {r.at["word"]: r.value for r in rows if isinstance(r, Row) and r.measure == "sureness"}
    assert sure == pytest.approx({s.entry.base: float(s.count) for s in chosen})


# --- decoders --------------------------------------------------------------------------------------------------------


def test_lines_are_written_as_they_say() -> None:
    e = lexicon.Entry("takiv", "takive", "takivity", "ity", "ive", 3)
    assert lines.line(SMALL, TWIN, e, "ity") == ("t a k i v", "i t i")
    assert lines.line(replace(SMALL, written="derivative"), TWIN, e, "ness") == ("t a k i v", "t a k i v n @ s")
    letters = replace(SMALL, script="letters")
    assert lines.line(letters, TWIN, e, "ness") == ("t a k i v e", "n e s s")
    assert lines.line(replace(letters, written="derivative"), TWIN, e, "ity")[1] == "t a k i v i t y"


def test_pairs_are_drawn_by_their_weighting() -> None:
    held = lines.entries_of(SMALL, TWIN)
    counts = np.array([e.count for e in held], float)
    mine = np.array([e.ending == "ive" for e in held])
    for weighting, wanted in (("uniform", np.ones(len(held))), ("log", np.log10(counts + 1)), ("raw", counts)):
        share = lines.weights(held, weighting)
        assert share.sum() == pytest.approx(1) and share[mine].sum() == pytest.approx(0.5)
        assert share[mine] == pytest.approx(0.5 * wanted[mine] / wanted[mine].sum())
    task = lines.task(replace(SMALL, weighting="raw"), TWIN, held)
    batch = task.batch("train", 4_000, np.random.default_rng(0))
    top = max((e for e in held if e.ending == "ive"), key=lambda e: e.count)
    drawn = np.mean([task.text(row)[0] == " ".join(top.sounds) for row in batch.tokens])
    assert drawn == pytest.approx(lines.weights(held, "raw")[held.index(top)], abs=0.03)


def test_the_rule_says_every_suffix_of_the_ruled_corpus() -> None:
    held = lines.entries_of(replace(SMALL, corpus="ruled"), TWIN)
    assert len({(e.ending, e.base) for e in held}) == len(held)
    vowels = set("aeiou@")
    assert all((e.suffix == "ity") == (len(e.sounds) >= 4 and e.sounds[-4] in vowels) for e in held)
    assert {e.suffix for e in held} == {"ity", "ness"}
    turned = lines.entries_of(SMALL, TWIN, np.random.default_rng(0))
    plain = lines.entries_of(SMALL, TWIN)
    assert [e.base for e in turned] == [e.base for e in plain] and [e.suffix for e in turned] != [
        e.suffix for e in plain
    ]


def test_summed_log_probabilities_are_those_of_each_token() -> None:
    import torch

    from unseen.studies.derivational_morphology import taught

    held = lines.entries_of(SMALL, TWIN)
    task, lab = lines.task(SMALL, TWIN, held), Lab.alone(seeds=(0, 1))
    models = taught._models(SMALL, task, lab)
    pairs = [lines.line(SMALL, TWIN, e, s) for e in held[:3] for s in ("ity", "ness")]
    found = taught.logp(models, task, pairs)
    for i, (source, target) in enumerate(pairs):
        tokens = [1, *(task.known[w] for w in source.split()), 3, *(task.known[w] for w in target.split()), 2]
        logits = models.logits(models(torch.tensor([tokens[:-1]]).expand(2, 1, -1)))[:, 0].log_softmax(-1)
        start = len(source.split()) + 1
        wanted = sum(logits[:, t, tokens[t + 1]] for t in range(start, len(tokens) - 1))
        assert found[:, i] == pytest.approx(wanted.detach().numpy(), abs=1e-4)


def test_decoders_learn_a_rule_and_are_found_to_follow_it(monkeypatch: pytest.MonkeyPatch) -> None:
    setting = replace(SMALL, corpus="ruled", width=32, layers=2, steps=150, batch=32, made=20)
    rows = told(setting, monkeypatch, seeds=(0,))
    right = [i.scores["right"] for i in items_of(rows, "right")]
    assert np.mean(right) > 0.9
    new = items_of(rows, "as_mgl_type")
    ruled = [float((i.scores["ity"] > 0.5) == (lines.rule(_sounds(i, setting), TWIN.sounds) == "ity")) for i in new]
    assert np.mean(ruled) > 0.8 and not items_of(rows, "margin")


def _sounds(item: Item, setting: Taught) -> str:
    known = {w.base: w.sounds for e in setting.endings for w in (*TWIN.nonce, *learners.joined(TWIN, e, setting.made))}
    return known[item.id]


# --- verdicts --------------------------------------------------------------------------------------------------------


@cache
def released() -> lexicon.Lexicon:
    if not (Path(os.environ.get("UNSEEN_DATA", "")) / lexicon.FOLDER).is_dir():
        pytest.skip("UNSEEN_DATA is not set, or holds no nominalization/")
    return lexicon.opened("released")


def records(monkeypatch: pytest.MonkeyPatch, odds: Callable[[str, str], float], each: int = 15) -> Records:
    """Records of the learners and of a model whose odds are a function of prompt and base, on the released words."""
    held = released()
    words = {w.base for w in held.nonce} | {s.entry.base for s in seen.sampled(held, each)}
    table = {lexicon.derivative(b, lexicon.ending_of(b), s): (b, sign) for b in words for s, sign in (("ity", 0.5), ("ness", -0.5))}  # fmt: skip

    class Model:
        def logprobs(self, prompts: Sequence[str], answers: Sequence[str]) -> list[float]:
            known = [table[a.strip()] for a in answers]
            return [-20 + sign * odds(p, b) for p, (b, sign) in zip(prompts, known, strict=True)]

    made: list[tuple[dict[str, Any], int, Row | Item]] = []
    settings = [*arms._cognitive("released", "pile"), *(Probed(arms.SMOLLM2, w, data="released", each=each) for w in ("nonce", "seen"))]  # type: ignore[arg-type]  # fmt: skip
    for setting in settings:
        values = {"setting": type(setting).__name__, **values_of(setting)}
        made += [(values, r.seed or 0, r) for r in told(setting, monkeypatch, Model(), seeds=(0, 1, 2, 3, 4))]
    return Records.of(made)


def statuses(found: Records, *ids: str) -> list[str]:
    return [judge(next(c for c in STUDY.claims if c.id == i), found, "laptop").status for i in ids]


def knows(prompt: str, base: str) -> float:
    entries = released().bases.get((lexicon.ending_of(base), base))
    top = max(entries, key=lambda e: e.count)
    return (1 if top.suffix == "ity" else -1) * (0.1 + np.log10(top.count + 1))


@pytest.mark.realdata
def test_verdicts_on_a_speaker_that_goes_by_exemplars(monkeypatch: pytest.MonkeyPatch) -> None:
    said = learners.references(released())["gcm_token"]
    found = records(monkeypatch, lambda p, b: said[b] - 0.5 if b in said else knows(p, b))
    assert statuses(found, "C1a", "C1b", "C1c", "C1d") == ["supported"] * 4
    assert statuses(found, "C2b", "C2c", "C2d") == ["supported"] * 3
    assert statuses(found, "C3a", "C3b", "C3c", "C3d", "C3e", "C3f") == ["supported"] * 6
    assert statuses(found, "K2", "K6") == ["supported"] * 2
    assert statuses(found, "C5b") == ["undecided"]  # it chooses as people do exactly as often as the model it is


@pytest.mark.realdata
def test_verdicts_on_a_speaker_that_goes_by_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    said = learners.references(released())["mgl_type"]
    found = records(monkeypatch, lambda p, b: said[b] - 0.5 if b in said else knows(p, b))
    assert statuses(found, "C1c", "C1d", "C2b") == ["supported", "supported", "refuted"]


@pytest.mark.realdata
def test_verdicts_on_a_speaker_that_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def coin(prompt: str, base: str) -> float:
        return float(np.random.default_rng([len(prompt), *base.encode()]).normal())

    found = records(monkeypatch, coin)
    ids = [
        c.id
        for c in STUDY.claims
        if any("Probed" in str(t.where) for t in getattr(c.effect, "terms", ())) and c.id != "C3a"
    ]
    assert len(ids) >= 12 and set(statuses(found, *ids)) == {"untested"}
    assert statuses(found, "C3a") == ["refuted"]


def test_a_function_of_ones_own_goes_through(unseen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "_places", lambda: [Path(find.__file__).parent.parent / "studies"])
    Path("mine.py").write_text(
        "def ness(prompts, **words):\n    return ['' for _ in prompts]\n\n"
        "ness.logprobs = lambda prompts, answers: [-1.0 if a.endswith('ness') else -9.0 for a in answers]\n"
    )
    said = unseen("use", SLUG, "nonce", "py:mine:ness", "--data", "twin", "--out", "out", "--json")
    assert said.code == 0, said.err
    rows = json.loads(said.out)
    assert len(rows["words"]) == 40 and all(w["model"] == 0.0 and w["odds"] == -8.0 for w in rows["words"])
    alike = {(m["words"], m["first"], m["second"]): m["alike"] for m in rows["matches"]}
    assert alike["-ish", "model", "gcm_type"] == 1.0
    votes = TWIN.votes
    assert alike["-ive", "model", "people"] == np.mean([votes[w.base][0] < votes[w.base][1] for w in TWIN.asked("ive")])
    with open("out/words.csv", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["word"] == TWIN.nonce[0].base
    card = unseen("run", SLUG, "--tier", "smoke", "--model", "py:mine:ness")
    assert card.code == 0, card.err


def test_the_tool_prints_words_of_ones_own_and_learns_pairs(unseen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip
    monkeypatch.setattr(find, "_places", lambda: [Path(find.__file__).parent.parent / "studies"])
    said = unseen("use", SLUG, "nonce", "tiny:decoder", "--data", "twin", "--word", "grilitive")
    assert said.code == 0 and "grilitive" in said.out and "model = gcm_type" in said.out
    assert unseen("use", SLUG, "nonce", "tiny:decoder", "--word", "green", "--data", "twin").code == 2
    assert unseen("use", SLUG, "nonce", "tiny:decoder", "--data", "own").code == 2
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("native\tity\t9\nlative\tity\nmassive\tness\t4\n", encoding="utf-8")
    said = unseen("use", SLUG, "learn", pairs, "--ask", "dative", "--learner", "mgl", "--letters")
    assert said.code == 0 and said.out.startswith("dative\tity\t") and "X  ative __ #   2 of 2" in said.out
    assert unseen("use", SLUG, "learn", pairs, "--letters").code == 2
    pairs.write_text("native ity\n", encoding="utf-8")
    assert "line 1" in unseen("use", SLUG, "learn", pairs, "--ask", "dative", "--letters").err


# --- the study -------------------------------------------------------------------------------------------------------


def test_items_are_drawn_and_scored() -> None:
    task = tasks.Nominalization()
    rng = np.random.default_rng(0)
    for split in task.splits:
        for e in task.draw(split.name, 5, rng):
            assert task.score(e, f" {e.truth.capitalize()}.\nnext") == {"exact": 1.0, "suffix": 1.0}
            assert e.familiar and task.score(e, e.familiar)["exact"] == 0.0
    with pytest.raises(Unknown, match="no split"):
        task.draw("nonce full", 1, rng)
    trained = {e.prompt for e in task.draw("train", 1_000, rng)}
    assert not trained & {e.prompt for s in task.splits if s.shifted for e in task.draw(s.name, 99, rng)}


def test_the_reward_is_the_tasks_own() -> None:
    from unseen import items, reward

    rows = [d.row() for d in items.draw(f"{SLUG}/nominalization", n=2, tier="smoke")]
    given = {"id": [r["id"] for r in rows], "receipt": [r["receipt"] for r in rows]}
    assert set(reward(f"{SLUG}/nominalization")([], [r["truth"] for r in rows], **given)) == {1.0}


def test_every_claim_names_settings_that_are_planned() -> None:
    for tier in ("laptop", "paper"):
        there = [{"setting": type(s).__name__, **values_of(s)} for s in STUDY.settings(tier)]  # type: ignore[arg-type]
        for claim in STUDY.claims:
            for where in _wheres(claim) if tier in claim.tiers else ():
                fields = {k: v for k, v in where.items() if any(k in s for s in there)}
                assert any(all(s.get(k, None) == v for k, v in fields.items()) for s in there), (tier, claim.id, fields)


def _wheres(claim: Any) -> Iterator[dict[str, Any]]:
    for effect in (claim.effect, *(e for e, _ in claim.given)):
        yield from (dict(t.where) for t in getattr(effect, "terms", ()))
        if hasattr(effect, "coordinate"):
            yield dict(effect.where)


def test_a_card_has_seen_and_nonce_words() -> None:
    found = [t.setting for t in plan(SLUG, STUDY, "smoke", model="smollm2", seeds=1)]
    assert {(s.words, s.model) for s in found} == {("nonce", "smollm2"), ("seen", "smollm2")}


def test_departures_are_marked() -> None:
    assert len(find.departures(SLUG)) >= 4


@pytest.mark.smollm2
def test_smollm2_prefers_ness_after_ish(smollm2_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen import models

    monkeypatch.setenv("UNSEEN_HOME", str(smollm2_home))
    words = [(w, "ish") for w in ("boyish", "childish")] + [(w, "able") for w in ("available", "reliable")]
    told = list(probed.prefers(models.open("smollm2"), words, "scored"))
    summed = np.concatenate([odds for _, score, odds in told if score == "sum"])
    assert summed.shape == (12, 4) and (summed.mean(0)[:2] < 0).all() and (summed.mean(0)[2:] > 0).all()
