"""What does your model make of adjectives that do not exist? Its choices beside those of the learners and of people.

unseen use derivational_morphology nonce smollm2
unseen use derivational_morphology nonce hf:EleutherAI/pythia-160m --out pythia --data released
unseen use derivational_morphology nonce smollm2 --word blorbitive --word drumpous     words of your own, by their letters
unseen use derivational_morphology learn pairs.tsv --ask blorbitive --learner mgl      the learners on pairs of your own

`nonce` prints each word with the model's preference (nats, above 0 for -ity), the four learners' shares of -ity and the
people's, and how often any two choose alike; `--out` writes both as tables. `pairs.tsv` holds base, suffix and perhaps a
count, apart by tabs. Bases are strings of the released table's sounds, or with `--letters` of letters that are all unlike.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from unseen import models
from unseen.core.errors import Invalid, Missing
from unseen.core.record import Value

from . import learners
from .gcm import GCM, Pair, Weighting
from .lexicon import Data, Lexicon, Nonce, ending_of, opened
from .mgl import MGL
from .probed import prefers, share
from .sounds import Sounds, of_features

app = typer.Typer(
    help="What a model makes of adjectives that do not exist, beside two learners and people.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
SPEAKERS = ("model", *(f"{name}_{weighting}" for name, weighting in learners.LEARNERS), "people")


@dataclass(frozen=True, slots=True)
class Told:
    """One word: a model's mean preference for -ity (nats, summed over tokens), the share of its prompts that prefer -ity,
    and the shares of -ity of the learners and of people (None where they were not asked)."""

    word: str
    ending: str
    odds: float
    shares: Mapping[str, float | None]

    def row(self) -> dict[str, Value]:
        """The word as a row of plain values."""
        return {"word": self.word, "ending": self.ending, "odds": self.odds, **self.shares}


def told(model: Any, lexicon: Lexicon, words: Sequence[Nonce] | None = None, *, how: str = "scored") -> list[Told]:
    """What a model says of words (all nonce words of the lexicon if left out), beside the learners and people."""
    asked = list(lexicon.nonce if words is None else words)
    held = [odds for _, score, odds in prefers(model, [(w.base, w.ending) for w in asked], how) if score == "sum"]
    every = np.concatenate(held)
    said = _said(lexicon, asked)
    return [
        Told(w.base, w.ending, float(mean), {"model": float(ity), **{who: s.get(w.base) for who, s in said.items()}})
        for w, mean, ity in zip(asked, every.mean(0), share(every), strict=True)
    ]


def matches(rows: Sequence[Told]) -> list[dict[str, Value]]:
    """How often each two speakers choose alike (0 … 1), by ending and over all variable ones: rows of plain values.

    A model chooses anew with every prompt, so its matches are averaged over prompts, as in the paper.
    """
    endings = list(dict.fromkeys(r.ending for r in rows))
    variable = [e for e in endings if learners.kind_of(e) == "variable"]
    found: list[dict[str, Value]] = []
    for name, among in [*((f"-{e}", [e]) for e in endings), ("variable", variable)]:
        for i, first in enumerate(SPEAKERS):
            for second in SPEAKERS[i + 1 :]:
                both = [(r.shares.get(first), r.shares.get(second)) for r in rows if r.ending in among]
                alike = [_alike(first, a, b) for a, b in both if a is not None and b is not None]
                if alike:
                    found.append({"words": name, "first": first, "second": second, "alike": float(np.mean(alike)), "n": len(alike)})  # fmt: skip
    return found


@app.command("nonce")
def nonce_command(
    model: Annotated[str, typer.Argument(help="smollm2, hf:ORG/NAME, api:…, py:module:function, …")],
    data: Annotated[
        str, typer.Option("--data", help="released (the published words and counts) or twin.")
    ] = "released",
    word: Annotated[list[str] | None, typer.Option("--word", help="A word of your own; may be given often.")] = None,
    how: Annotated[
        str, typer.Option("--how", help="scored (log-probabilities) or chosen (asked for one of two).")
    ] = "scored",
    dtype: str = "float32",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder to write words.csv and matches.csv into.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print plain JSON.")] = False,
) -> None:
    """Print what a model prefers of each adjective that does not exist, and how often it chooses as others do."""
    if data not in ("released", "twin") or how not in ("scored", "chosen"):
        raise Invalid(f"--data {data} --how {how}: data are released or twin, a model is scored or chosen.")
    chosen: Data = "twin" if data == "twin" else "released"
    lexicon = opened(chosen)
    own = [Nonce("", w, ending_of(w)) for w in word] if word else None
    rows = told(models.open(model, dtype=dtype), lexicon, own, how=how)
    table = matches(rows)
    if out is not None:
        _write(out / "words.csv", [r.row() for r in rows])
        _write(out / "matches.csv", table)
    if as_json:
        typer.echo(json.dumps({"model": model, "words": [r.row() for r in rows], "matches": table}, ensure_ascii=False))
        return
    _print(rows, table)


@app.command("learn")
def learn_command(
    pairs: Annotated[
        Path, typer.Argument(help="Lines of base, suffix (ity or ness) and perhaps a count, apart by tabs.")
    ],
    ask: Annotated[list[str] | None, typer.Option("--ask", help="A base to predict; may be given often.")] = None,
    learner: Annotated[str, typer.Option("--learner", help="gcm or mgl.")] = "gcm",
    weighting: Annotated[str, typer.Option("--weighting", help="type or token.")] = "type",
    letters: Annotated[bool, typer.Option("--letters", help="Bases are letters, each as unlike any other.")] = False,
) -> None:
    """Fit a learner to pairs of your own and print what it predicts: base, suffix, share of -ity, the deciding rule."""
    if learner not in ("gcm", "mgl") or weighting not in ("type", "token"):
        raise Invalid(
            f"--learner {learner} --weighting {weighting}: learners are gcm and mgl, weightings type and token."
        )
    held = _pairs(pairs)
    bases = list(ask or ())
    if not bases:
        raise Invalid("there is nothing to predict; give --ask BASE.")
    sounds = alphabet([*(p[0] for p in held), *bases]) if letters else opened("released").sounds
    counted: Weighting = "token" if weighting == "token" else "type"
    fitted = (GCM if learner == "gcm" else MGL)(sounds, counted).fit(held)
    for base, s, suffix in zip(bases, fitted.share(bases), fitted.predict(bases), strict=True):
        why = f"\t{_rule(fitted, base, suffix)}" if isinstance(fitted, MGL) else ""
        typer.echo(f"{base}\t{suffix}\t{s:.3f}{why}")


def alphabet(words: Sequence[str]) -> Sounds:
    """Letters as sounds of which no two share a feature."""
    return of_features({letter: {letter: 1} for letter in sorted({c for w in words for c in w})})


def _said(lexicon: Lexicon, asked: Sequence[Nonce]) -> dict[str, learners.Shares]:
    """The learners' and the people's shares: of words whose sounds are not known (own words), of their letters."""
    if all(w.sounds for w in asked):
        return learners.references(lexicon)
    found: dict[str, dict[str, float]] = {}
    for ending in dict.fromkeys(w.ending for w in asked):
        mine = [w for w in asked if w.ending == ending]
        entries = [e for e in lexicon.entries if e.ending == ending]
        sounds = alphabet([*(e.base for e in entries), *(w.base for w in mine)])
        spelled: list[Pair] = [(e.base, e.suffix, e.count) for e in entries]
        like = Lexicon(sounds, (), (), {})
        words = [Nonce(w.base, w.base, w.ending) for w in mine]
        for who, shares in learners.learned(spelled, words, like).items():
            found.setdefault(who, {}).update(shares)
    return dict(found)


def _alike(first: str, a: float, b: float) -> float:
    ity = a if first == "model" else float(a > 0.5)
    return ity if b > 0.5 else 1 - ity


def _rule(fitted: MGL, base: str, suffix: str) -> str:
    found = fitted.best(base, suffix)
    if found is None:
        return "no rule matches"
    rule, scope, hits = found
    features = "" if rule.features is None else fitted.sounds.told(rule.features)
    return f"∅ -> {rule.suffix} / {'#' if rule.whole else 'X'} {features} {rule.context} __ #   {hits:g} of {scope:g}"


def _pairs(path: Path) -> list[Pair]:
    if not path.is_file():
        raise Missing(f"there is no file {path}; it is to hold base, suffix and perhaps a count, apart by tabs.")
    found: list[Pair] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        parts = line.split("\t")
        if not line.strip():
            continue
        if len(parts) not in (2, 3) or (len(parts) == 3 and not parts[2].strip().isdigit()):
            raise Invalid(f"{path}, line {number} is not base, suffix and perhaps a whole count: {line[:60]!r}.")
        found.append((parts[0], parts[1].strip(), int(parts[2]) if len(parts) == 3 else 1))
    return found


def _print(rows: Sequence[Told], table: Sequence[Mapping[str, Value]]) -> None:
    typer.echo("  ".join((f"{'word':<16}", f"{'odds':>7}", *(f"{who:>9}" for who in SPEAKERS))))
    for r in rows:
        shares = (r.shares.get(who) for who in SPEAKERS)
        cells = (f"{'–':>9}" if s is None else f"{s:>9.2f}" for s in shares)
        typer.echo("  ".join((f"{r.word:<16}", f"{r.odds:>+7.2f}", *cells)))
    typer.echo(
        "\nodds: nats for -ity, the mean over prompts; the rest: the share of -ity. How often two choose alike:\n"
    )
    groups = list(dict.fromkeys(row["words"] for row in table))
    typer.echo("  ".join((f"{'':<22}", *(f"{g!s:>9}" for g in groups))))
    for first, second in dict.fromkeys((row["first"], row["second"]) for row in table):
        at = {row["words"]: row["alike"] for row in table if (row["first"], row["second"]) == (first, second)}
        cells = (f"{at[g]:>9.2f}" if g in at else f"{'–':>9}" for g in groups)
        typer.echo("  ".join((f"{first} = {second}".ljust(22), *cells)))


def _write(path: Path, rows: Sequence[Mapping[str, Value]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
        writer.writeheader()
        writer.writerows(rows)
