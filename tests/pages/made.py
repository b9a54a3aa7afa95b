"""A study that was never run: records made by formula, with verdicts of every kind and hostile words everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unseen.core.claim import Claim, above, below, gap, judge_study, level, off_floor, rank, slope
from unseen.core.ledger import Judged
from unseen.core.record import Item, Records, Row, Split
from unseen.core.study import Headline, Mark, Needs, Paper, Study, Tier

WICKED = '<script>window.hacked=1</script></script><img src=x onerror="window.hacked=2"><!-- \u202egnp.exe\u2066 {{ 7*7 }} \x07\u2028]]>'
DIGITS = (3, 4, 5, 6, 7, 8)
TRAINED = 4


@dataclass(frozen=True)
class Setting:
    task: str
    format: str
    width: int = 96
    steps: int = 1_000


def settings(tier: Tier) -> Sequence[Setting]:
    """Three tasks in three formats."""
    return [Setting(t, f) for t in ("addition", "copying", "parity") for f in ("plain", "reversed", "reversed+hints")]


def study(title: str = "What Algorithms can Transformers Learn? A Study in Length Generalization") -> Study:
    """Claims that come out in each of the four ways."""
    hints, plain = {"format": "reversed+hints"}, {"format": "plain"}
    adds = {"task": "addition"}
    learned = (off_floor("exact", 0.0, **adds, **hints),)
    return Study(
        paper=Paper(title, "2310.16028", 2023),
        axes=("length",),
        settings=settings,
        seeds={"smoke": 2, "laptop": 5, "paper": 5},
        needs=lambda s: Needs(3.0, extras=("torch",)),
        evidence=lambda s: "twin",
        headlines=(Headline("length", "exact", 0.0),),
        marks=(
            Mark("exact", 0.97, {**adds, **hints, "digits": 8}, label="figure 3, six layers"),
            Mark("exact", 0.05, {**adds, **plain, "digits": 6}, label="figure 3, six layers"),
            Mark("exact", 0.40, {"task": "parity", "digits": 7}, label="figure 5"),
        ),
        claims=(
            Claim("C1", "With index hints and answers written backwards, sums longer than any trained on stay right.", reported="about 1.0", source="paper", where="figure 3",
                  effect=level("exact", shifted=True, **adds, **hints), expect=above(0.5), over=("digits",), given=learned),
            Claim("C2", "Written plainly, they do not: hints are worth at least thirty points.", reported="about 0.0 without, 1.0 with", source="paper",
                  effect=gap("exact", hints, plain, shifted=True, **adds), expect=above(0.3), over=("digits",), given=learned),
            Claim("C3", "Accuracy does not fall with length.", reported="flat", source="recalled",
                  effect=slope("exact", "digits", **adds, **hints), expect=above(0.0), given=learned),
            Claim("C4", "Copying is at least as good as adding.", reported="0.99", source="paper",
                  effect=gap("exact", {"task": "copying"}, {"task": "addition"}, shifted=True, **hints), expect=above(0.02), over=("digits",)),
            Claim("C5", "Parity fails once it is longer.", reported="0.5, chance", source="paper",
                  effect=level("exact", shifted=True, task="parity", **plain), expect=below(0.6), over=("digits",),
                  given=(off_floor("exact", 0.5, task="parity", **plain),)),
            Claim("C6", "Loss rises with length.", reported="rises", source="paper",
                  effect=rank("loss", "digits", **adds, **plain), expect=above(0.0)),
            Claim("K1", "Sums no longer than the trained ones are right.", reported="1.0", source="paper",
                  effect=level("exact", shifted=False, **adds, **hints), expect=above(0.9), over=("digits",), kind="control"),
        ),
    )  # fmt: skip


def split(digits: int) -> Split:
    """Up to four digits are the reference."""
    return Split(f"{digits} digits", axis="length", at={"digits": digits}, shifted=digits > TRAINED)


def true_rate(setting: Setting, digits: int, share: float) -> float:
    """How often such a run is right after a share of its training."""
    fall = {"plain": 0.9, "reversed": 0.35, "reversed+hints": 0.06}[setting.format]
    top = {"addition": 0.98, "copying": 0.99, "parity": 0.45}[setting.task]
    return top * share**0.5 * float(np.exp(-fall * max(0, digits - TRAINED)))


def rows(seeds: Sequence[int] = range(5)) -> Iterator[tuple[Mapping[str, Any], int, Row | Item]]:
    """Rows of all settings, digits, seeds and four steps, and the loss along the axis."""
    rng = np.random.default_rng(0)
    for setting in settings("laptop"):
        told = {"setting": "Setting", "task": setting.task, "format": setting.format, "width": 96, "steps": 1_000}
        for digits in DIGITS:
            for seed in seeds:
                for step in (250, 500, 750, 1_000):
                    p = np.clip(true_rate(setting, digits, step / 1_000) + rng.normal(0, 0.02), 0.0, 1.0)
                    value = rng.binomial(512, p) / 512
                    yield told, seed, Row("exact", value, split(digits), n=512, step=step, drawn=f"{seed:08x}")
                loss = 0.3 * digits * (2 - p) + rng.normal(0, 0.05)
                yield told, seed, Row("loss", loss, split(digits), n=512, step=1_000, drawn=f"{seed:08x}")


def judged(*, words: str = "", exploratory: bool = False, title: str | None = None) -> Judged:
    """The study judged; `words` stand wherever a model or a stranger's study could put words."""
    told = study(title) if title is not None else study()
    records = Records.of(rows())
    manifest = {
        "key": "09c4f1d2a7b35e68",
        "setting": {"setting": "Setting", "task": words or "addition", "format": "plain", "width": 96, "steps": 1000},
        "seeds": [0, 1, 2, 3, 4],
        "pins": {"m": words or "hf:org/name@0123abc"},
        "minutes": 2.75,
        "code": "1f0c22d69a3b4e57",
        "finished": "2026-11-26T01:02:03+00:00",
        "host": {"processor": words or "a processor of some kind"},
        "versions": {"unseen": "0.1.0", "torch": "2.13.0"},
    }
    item = {
        "split": words or "5 digits",
        "id": "6f1c",
        "prompt": f"2 7 + 4 5 = {words}",
        "answer": words or "7 2",
        "truth": words or "72",
    }
    return Judged(
        slug="length_generalization",
        study=told,
        tier="laptop",
        trials=(),
        records=records,
        verdicts=judge_study(told, records, "laptop"),
        manifests=[manifest] * 9,
        exploratory=exploratory,
        sheet=f"# Title\n\n**Question.** Which algorithms does a transformer learn well enough to run them on longer inputs? {words}\n\n**Method in brief.** Small decoders are trained on short sums and asked long ones. {words}\n\n**Departures.** {words}\n\n**Sources.** The paper.",
        departures=[f"trial.py:12: two layers rather than six, for two cores. {words}"],
        items=[{**item, "id": f"{i:04x}", "scores": {"exact": float(i % 2)}} for i in range(6)],
    )  # fmt: skip
