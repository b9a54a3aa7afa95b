"""Scores and answers of local models, against transformers itself asked one item at a time."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import torch

from unseen.core.errors import Failed, Invalid
from unseen.models import cache as caches
from unseen.models import tiny
from unseen.models.engine import Local, beginnings, common_start

OPENING = "Below is a question. Read it, then answer. "  # longer than what is worth sharing
ASKED = [
    (OPENING + "2 + 2 =", [" 4", " 44", " four"]),
    (OPENING + "What is the capital of the land in the south?", [" A", " Rome is it"]),
    (OPENING + "Why? ", ["So"]),
    (OPENING + "2 + 3 =", [" 5", " 44"]),
]
PAIRS = [(p, a) for p, answers in ASKED for a in answers]


@functools.cache
def lively(name: str) -> Any:
    """A tiny model whose weights are larger than untrained ones, so that what it reads matters."""
    model = tiny.made(name)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(6)
    return model.eval()


def local(name: str = "llama", **how: Any) -> Local:
    return Local(lively(name), tiny.byte_tokenizer(), **how)


@torch.no_grad()
def naive(model: Any, context: list[int], answer: list[int]) -> float:
    """The log-probability of an answer, by one plain pass over context and answer."""
    logits = model(torch.tensor([context + answer])).logits[0].log_softmax(-1)
    return sum(float(logits[len(context) + i - 1, token]) for i, token in enumerate(answer))


def scored(one: Local, pairs: list[tuple[Any, str]] = PAIRS) -> np.ndarray:
    return one.scores([p for p, _ in pairs], [a for _, a in pairs])


@pytest.mark.parametrize("branching", [True, False])
@pytest.mark.parametrize("name", tiny.ARCHITECTURES)
def test_scores_are_those_of_each_item_alone(name: str, branching: bool) -> None:
    one = local(name)
    if not branching:
        one.branching = False
    expected = [naive(one.model, *one.pair(p, a)) for p, a in PAIRS]
    assert scored(one) == pytest.approx(expected, abs=1e-4)
    assert one.branching is branching
    assert np.ptp(expected) > 1  # the answers differ, so that a mix-up would show
    cut = [naive(one.model, one.pair(p, a)[0][1:], one.pair(p, a)[1]) for p, a in PAIRS]
    assert np.abs(np.array(cut) - expected).max() > 1e-2  # and what comes first is felt


@pytest.mark.parametrize(
    "pairs", [[("a", "b")], [("ab ", "c"), ("b", "cd"), ("", "x")], [("same", "one"), ("same", "one")]]
)
def test_scores_of_few_short_and_equal_items(pairs: list[tuple[str, str]]) -> None:
    one = local("qwen3")
    assert scored(one, pairs) == pytest.approx([naive(one.model, *one.pair(p, a)) for p, a in pairs], abs=1e-4)


def test_no_items_have_no_scores() -> None:
    assert local().scores([], []).shape == (0,)


def test_spaces_at_the_end_of_a_prompt_count_as_the_answers() -> None:
    one = local()
    assert one.pair("2 + 2 = ", "4") == (one.encoded("2 + 2 ="), one.encoded(" 4"))


def test_an_answer_of_no_tokens_is_refused() -> None:
    with pytest.raises(Invalid, match="adds no token"):
        local().scores(["a"], [""])


def test_eager_attention_scores_alike() -> None:
    from copy import deepcopy

    one = Local(deepcopy(lively("llama")), tiny.byte_tokenizer())
    one.model.set_attn_implementation("eager")
    assert scored(one) == pytest.approx(scored(local()), abs=1e-4)
    assert one.branching is True


def test_a_model_that_reads_past_the_mask_is_asked_through_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lively("llama")
    whole = model.forward

    @functools.wraps(whole)
    def blind(*given: Any, attention_mask: torch.Tensor | None = None, **rest: Any) -> Any:
        flat = attention_mask is not None and attention_mask.dim() == 2
        return whole(*given, attention_mask=attention_mask if flat else None, **rest)

    monkeypatch.setattr(model, "forward", blind)
    one = local()
    found = scored(one)
    monkeypatch.undo()
    assert one.branching is False
    assert found == pytest.approx(scored(local()), abs=1e-4)


def test_chat_turns_go_through_the_template() -> None:
    one = local()
    one.tokenizer.chat_template = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
    prompt = [{"role": "user", "content": "2 + 2 ="}]
    assert one.encoded(prompt) == one.encoded("<user>2 + 2 =<assistant>")
    expected = naive(one.model, one.encoded("<user>2 + 2 =<assistant>"), one.encoded("4"))
    assert scored(one, [(prompt, "4")]) == pytest.approx([expected], abs=1e-4)


def test_a_text_begins_as_the_tokenizer_begins_it() -> None:
    from tokenizers.processors import TemplateProcessing

    one = local()
    one.tokenizer.bos_token = "</s>"
    assert one.encoded("ab")[0] != 0
    one.tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="</s> $A </s>", special_tokens=[("</s>", 0)]
    )
    assert one.encoded("ab")[0] == 0 and one.encoded("ab").count(0) == 1  # what it would end with is left out
    assert one.encoded("</s>ab") == one.encoded("ab")
    assert one.pair("ab", "c") == (one.encoded("ab"), one.encoded("c")[1:])


@pytest.mark.parametrize("branching", [True, False])
def test_a_prompt_too_long_is_read_from_its_end(branching: bool) -> None:
    one = local("gpt2")
    one.longest = 24
    if not branching:
        one.branching = False
    context, answer = one.pair("x" * 30 + " which of them is it?", " this")
    expected = naive(one.model, context[-(24 + 1 - len(answer)) :], answer)
    assert scored(one, [("x" * 30 + " which of them is it?", " this")]) == pytest.approx([expected], abs=1e-4)
    with pytest.raises(Invalid, match="leaves no room"):
        scored(one, [("a", "b" * 25)])
    (only,) = said(one, ["x" * 50 + " end"], 8)
    assert only.text == reference(one, one.encoded("x" * 50 + " end")[-16:], 8)


def said(one: Local, prompts: list[Any], most: int, **how: Any) -> list[Any]:
    found = dict(one.stream(prompts, max_new_tokens=most, **how))
    return [found[i] for i in range(len(prompts))]


@torch.no_grad()
def reference_ids(one: Local, ids: list[int], most: int) -> list[int]:
    """The tokens of transformers' own greedy generation."""
    given = torch.tensor([ids])
    how = {"max_new_tokens": most, "do_sample": False, "pad_token_id": 0}
    return one.model.generate(given, attention_mask=torch.ones_like(given), **how)[0, len(ids) :].tolist()


def reference(one: Local, ids: list[int], most: int) -> str:
    return one.tokenizer.decode(reference_ids(one, ids, most), skip_special_tokens=True)


PROMPTS = [p for p, _ in ASKED] + ["short", "a rather different one"]


@pytest.mark.parametrize("name", tiny.ARCHITECTURES)
@pytest.mark.parametrize("prompts", [PROMPTS, PROMPTS[:4]])
def test_greedy_answers_are_those_of_transformers(name: str, prompts: list[str]) -> None:
    one = local(name)
    assert [a.text for a in said(one, prompts, 10)] == [reference(one, one.encoded(p), 10) for p in prompts]


def test_an_end_token_ends_an_answer_and_the_others_go_on() -> None:
    one = local("qwen2")
    plain = [reference_ids(one, one.encoded(p), 12) for p in PROMPTS]
    end = plain[0][3]
    one.tokenizer.eos_token_id = end
    assert any(end not in ids for ids in plain) and any(end in ids[:8] for ids in plain)
    for ids, told in zip(plain, said(one, PROMPTS, 12), strict=True):
        before = ids[: ids.index(end)] if end in ids else ids
        assert told.text == one.tokenizer.decode(before, skip_special_tokens=True)
        assert (told.finish, told.tokens) == (("stop", len(before) + 1) if end in ids else ("length", 12))


def test_a_stop_string_cuts_the_answer_before_it() -> None:
    one = local()
    plain = said(one, PROMPTS, 12)
    stop = plain[1].text[4:6]
    for before, after in zip(plain, said(one, PROMPTS, 12, stop=[stop, "never said"]), strict=True):
        assert after.text == before.text.split(stop)[0]
        assert after.finish == ("stop" if stop in before.text else before.finish)


def test_batches_of_any_size_say_and_score_alike() -> None:
    whole, ones, pairs = local(), local(batch_size=1), local(batch_size="2")
    for other in (ones, pairs):
        assert said(other, PROMPTS, 10) == said(whole, PROMPTS, 10)
        assert scored(other) == pytest.approx(scored(whole), abs=1e-4)
        assert max(map(len, other._batches([3] * 5))) == other.rows


MANY = [OPENING + "?" * (1 + 7 * i % 11) + f" {i * 37 % 100}" for i in range(14)] + [f"other {i}" for i in range(5)]


@pytest.mark.parametrize("name", tiny.ARCHITECTURES)
def test_rows_that_end_make_room_for_others(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = local(name, batch_size=4)
    plain = [reference_ids(one, one.encoded(p), 9) for p in MANY]
    end = max({t for ids in plain for t in ids}, key=lambda t: sum(t in ids[1:6] for ids in plain))
    one.tokenizer.eos_token_id = end
    begun: list[int] = []
    whole = caches.begun

    def counted(config: Any, start: Any, rows: int) -> Any:
        begun.append(rows)
        return whole(config, start, rows)

    monkeypatch.setattr(caches, "begun", counted)
    told = said(one, MANY, 9)
    for ids, answer in zip(plain, told, strict=True):
        before = ids[: ids.index(end)] if end in ids else ids
        assert answer.text == one.tokenizer.decode(before, skip_special_tokens=True)
        assert answer.tokens == (len(before) + 1 if end in ids else 9)
    assert sum(begun) == len(MANY) and max(begun) == 4
    assert "stop" in {a.finish for a in told}
    assert (len(begun) > -(-14 // 4) + -(-5 // 4)) == caches.refillable(_cache_of(one))


def _cache_of(one: Local) -> Any:
    cache = caches.begun(one.model.config, None, 1)
    with torch.no_grad():
        one.model(torch.tensor([[1, 2, 3]]), past_key_values=cache, use_cache=True)
    return cache


def test_a_cache_with_room_holds_what_transformers_own_does() -> None:
    from transformers import DynamicCache

    one = local("llama")
    ours, theirs = caches.begun(one.model.config, None, 2), DynamicCache(config=one.model.config)
    given = torch.randint(1, 50, (2, 150), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for at in range(0, 150, 3):
            logits = [
                one.model(given[:, at : at + 3], past_key_values=c, use_cache=True).logits for c in (ours, theirs)
            ]
            assert torch.equal(*logits)
            if at == 60:
                for cache in (ours, theirs):
                    cache.batch_select_indices(torch.tensor([1, 0]))
                given = given[[1, 0]]
    for mine, its in zip(ours.layers, theirs.layers, strict=True):
        assert torch.equal(mine.keys, its.keys) and torch.equal(mine.values, its.values)


def test_what_begins_alike_is_read_together() -> None:
    first, second = list(range(100, 130)), list(range(200, 240))
    asked = [[*first, i] for i in range(5)] + [[*second, i, i] for i in range(4)] + [[1, 2], [*first[:10], 9]]
    groups = beginnings(asked)
    assert sorted(i for part, _ in groups for i in part) == list(range(11))
    assert {n: part for part, n in groups} == {30: [0, 1, 2, 3, 4], 40: [5, 6, 7, 8], 0: [9, 10]}
    led = [[*range(20), *one] for one in asked]
    assert {n: part for part, n in beginnings(led)} == {50: [0, 1, 2, 3, 4], 60: [5, 6, 7, 8], 20: [9, 10]}
    assert beginnings([]) == [] and beginnings([[1]]) == [([0], 0)]


def test_several_beginnings_are_answered_and_scored_as_alone() -> None:
    one = local("qwen3")
    led = [f"{opening}{i}?" for opening in (OPENING, OPENING[::-1] * 2) for i in (3, 14, 159, 26)] + ["alone"]
    assert [a.text for a in said(one, led, 7)] == [reference(one, one.encoded(p), 7) for p in led]
    pairs = [(p, a) for p in led for a in (" yes", " no, it is not")]
    assert scored(one, pairs) == pytest.approx([naive(one.model, *one.pair(p, a)) for p, a in pairs], abs=1e-4)


def test_batches_keep_within_tokens_and_logits() -> None:
    one = local()
    one.tokens, one.logits = 100, 10
    sizes, heads = [10, 60, 30, 5, 45, 7], [2, 3, 3, 6, 1, 6]
    parts = list(one._batches(sizes, heads))
    assert sorted(i for part in parts for i in part) == list(range(6))
    for part in parts:
        assert len(part) == 1 or max(sizes[i] for i in part) * len(part) <= 100
        assert len(part) == 1 or max(heads[i] for i in part) * len(part) <= 10


def test_sampling_follows_its_seed_and_no_batch() -> None:
    one = local()
    first = said(one, PROMPTS, 8, temperature=1.0, seed=3)
    assert said(one, PROMPTS, 8, temperature=1.0, seed=3) == first
    assert said(local(batch_size=1), PROMPTS, 8, temperature=1.0, seed=3) == first
    assert said(one, PROMPTS, 8, temperature=1.0, seed=4) != first


def test_sampled_tokens_are_as_frequent_as_they_are_likely() -> None:
    one = local()
    ids = one.encoded("how often?")
    with torch.no_grad():
        chance = (one.model(torch.tensor([ids])).logits[0, -1] / 0.7).softmax(-1).numpy()
    n, top = 600, int(chance.argmax())
    hits = sum(
        said(one, ["how often?"], 1, temperature=0.7, seed=s)[0].text == one.tokenizer.decode([top]) for s in range(n)
    )
    p = float(chance[top])
    assert 0.02 < p < 0.98 and abs(hits - n * p) < 4 * (n * p * (1 - p)) ** 0.5


def test_memory_that_runs_out_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    one = local()
    one.branching = True
    whole = one.model.forward

    @functools.wraps(whole)
    def full(*given: Any, **rest: Any) -> Any:
        raise torch.OutOfMemoryError("no more")

    monkeypatch.setattr(one.model, "forward", full)
    with pytest.raises(Failed, match=r"memory ran out on a batch of .* --batch-size"):
        said(one, ["a", "b"], 4)
    with pytest.raises(Failed, match="--batch-size"):
        scored(one, [("a", "b")])


def test_a_beginning_is_shared_where_it_is_long_enough() -> None:
    long = list(range(20))
    assert common_start([[*long, 1], [*long, 2]]) == 20
    assert common_start([long, [*long, 2]]) == 19  # each keeps one of its own
    assert common_start([long[:10], long]) == 0 and common_start([long]) == 0


@pytest.mark.smollm2
def test_a_real_model_scores_as_transformers_does(smollm2_home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from unseen.models import smollm2

    monkeypatch.setenv("UNSEEN_HOME", str(smollm2_home))
    one = smollm2.open("", device="cpu", dtype="float32", batch_size="auto")
    found = scored(one)
    assert found == pytest.approx([naive(one.model, *one.pair(p, a)) for p, a in PAIRS], abs=1e-4)
    assert one.branching is True
    assert said(one, [PAIRS[0][0]], 6)[0].text == reference(one, one.encoded(PAIRS[0][0]), 6)
