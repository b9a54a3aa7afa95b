"""What does a model hold where? Train a decoder on facts, read any causal language model by the lens, trace a decoder.

unseen use grokked_transformers learn OUT --family composition --steps 2000    checkpoints OUT/step-500 … with words.json
unseen use grokked_transformers lens FOLDER "e4 r7 r2"                         what every layer would say at every place
unseen use grokked_transformers trace FOLDER "e4 r7 r2" "e4 r3 r2"             which states decide the answer

`lens` also opens folders of transformers: those with a tokenizer read text, others words (`--words FILE`) or numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unseen.core.errors import Invalid, Missing, Unknown, nearest
from unseen.core.lab import Lab

from .arms import Learned
from .study import settings

if TYPE_CHECKING:
    from unseen.models.decoder import Decoder

app = typer.Typer(
    help="What does a model hold in which layer? The logit lens and causal tracing on your own models.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Folder = Annotated[Path, typer.Argument(help="A decoder that `learn` or a trial wrote, or a folder of transformers.")]
Words = Annotated[
    Path | None, typer.Option("--words", help="A JSON list of the tokens' words; else FOLDER/words.json.")
]
Seed = Annotated[int, typer.Option(help="Which decoder of the folder: its place among its seeds.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a prompt becomes numbers, and numbers words."""

    read: Callable[[str], list[int]]
    word: Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Traced:
    """Which states decide an answer: `changed` [layer place], layers counted from 1, and the answers to both prompts."""

    words: tuple[str, ...]
    answer: str
    other: str
    changed: tuple[tuple[bool, ...], ...]


def learn(setting: Learned, out: Path, *, every: int, seed: int = 0) -> list[Path]:
    """Train one decoder on the world of a seed and write it every so many steps, with the words of its tokens."""
    from unseen.methods import fit
    from unseen.models import decoder

    from . import learned, tasks

    lab = Lab.alone(seeds=(seed,))
    known = [tasks.of(setting, lab, seed)]
    models = learned.made(setting, known, lab)
    written: list[Path] = []
    recipe = learned.recipe(setting)
    for step, _ in fit.next_token(models, known, "train", steps=setting.steps, every=every, recipe=recipe, lab=lab):
        written.append(out / f"step-{step}")
        decoder.save(models, written[-1])
        (written[-1] / "words.json").write_text(json.dumps(known[0].words), encoding="utf-8")
    return written


def read_lens(
    folder: Path, prompt: str, *, top: int = 3, seed: int = 0, words: Path | None = None
) -> list[tuple[str, list[list[str]]]]:
    """For each place of a prompt its token, and the likeliest tokens [layer top] that the lens sees there, the embedding
    first. Raises Missing where there is no model, Unknown for a word that it does not know."""
    import torch

    from unseen.measures import lens

    if (folder / "decoder.json").is_file():
        models, known = _decoder(folder, seed), _vocabulary(folder, words)
        tokens = torch.tensor([[known.read(prompt)]])
        scores = [lens.scores(models, tokens, place)[:, 0, 0] for place in range(tokens.shape[2])]
        given = tokens[0, 0].tolist()
    else:
        model, known = _of_transformers(folder, words)
        tokens = torch.tensor([known.read(prompt)])
        scores = [lens.scores_of_states(model, tokens, place)[:, 0] for place in range(tokens.shape[1])]
        given = tokens[0].tolist()
    best = [one.topk(min(top, one.shape[-1]), -1).indices.tolist() for one in scores]
    return [
        (known.word(token), [[known.word(t) for t in layer] for layer in layers])
        for token, layers in zip(given, best, strict=True)
    ]


def trace(folder: Path, prompt: str, other: str, *, seed: int = 0, words: Path | None = None) -> Traced:
    """Which states of a decoder's residual stream make its answer to a prompt change when another prompt's stand there.

    Raises Missing for a folder without a decoder of ours, Invalid for prompts of different lengths.
    """
    import torch

    from unseen.measures import lens

    if not (folder / "decoder.json").is_file():
        raise Missing(f"{folder} holds no decoder.json; tracing takes decoders that `learn` or a trial wrote.")
    models, known = _decoder(folder, seed), _vocabulary(folder, words)
    one, two = known.read(prompt), known.read(other)
    if len(one) != len(two):
        raise Invalid(
            f"the prompts have {len(one)} and {len(two)} tokens; a state is replaced by one at the same place."
        )
    tokens, others = torch.tensor([[one]]), torch.tensor([[two]])
    with torch.no_grad():
        said = [int(models.logits(models(x)[:, :, -1]).argmax()) for x in (tokens, others)]
    layers = range(1, models.shape.depth + 1)
    changed = lens.traced(models, tokens, dict.fromkeys(range(len(one)), others), layers=layers)[..., 0, 0]
    rows = tuple(tuple(map(bool, row)) for row in changed.tolist())
    return Traced(tuple(map(known.word, one)), known.word(said[0]), known.word(said[1]), rows)


def _decoder(folder: Path, seed: int) -> Decoder:
    from unseen.models import decoder

    models = decoder.load(folder)
    if not 0 <= seed < len(models.seeds):
        raise Invalid(f"--seed {seed}: the folder holds {len(models.seeds)} decoders, counted from 0.")
    return decoder.member(models, seed)


def _vocabulary(folder: Path, words: Path | None) -> Vocabulary:
    """Words by a JSON list; without one, numbers."""
    path = words or folder / "words.json"
    if not path.is_file():
        if words is not None:
            raise Missing(f"there is no file {words}; it is to be a JSON list of the tokens' words.")
        return Vocabulary(_numbers, str)
    listed: list[str] = json.loads(path.read_text(encoding="utf-8"))
    number: Mapping[str, int] = {word: i for i, word in enumerate(listed) if word}

    def read(text: str) -> list[int]:
        if strange := [w for w in text.split() if w not in number]:
            raise Unknown(f"the model has no word {strange[0]!r}{nearest(strange[0], number)}.")
        return [number[w] for w in text.split()]

    return Vocabulary(read, lambda i: listed[i] or f"<{i}>")


def _numbers(text: str) -> list[int]:
    if not text.split() or not all(w.isdigit() for w in text.split()):
        raise Invalid(
            f"{text!r}: this model has no words, so a prompt is the numbers of its tokens; or give --words FILE."
        )
    return [int(w) for w in text.split()]


def _of_transformers(folder: Path, words: Path | None) -> tuple[Any, Vocabulary]:
    """A causal language model of transformers with its tokenizer, or with words."""
    if not (folder / "config.json").is_file():
        raise Missing(f"{folder} holds neither decoder.json nor config.json, so there is no model to read.")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(str(folder), local_files_only=True).eval()
    if not any((folder / name).is_file() for name in ("tokenizer.json", "tokenizer_config.json", "vocab.json")):
        return model, _vocabulary(folder, words)
    tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    return model, Vocabulary(lambda text: list(tokenizer(text)["input_ids"]), lambda i: repr(tokenizer.decode([i])))


@app.command("learn")
def learn_command(
    out: Annotated[Path, typer.Argument(help="Where the checkpoints go.")],
    family: Annotated[str, typer.Option(help="composition or comparison.")] = "composition",
    entities: Annotated[int | None, typer.Option(help="How many entities; else those of the laptop tier.")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimizer steps; else those of the laptop tier.")] = None,
    checkpoints: Annotated[int, typer.Option(min=1, help="How many checkpoints to write.")] = 4,
    loops: Annotated[int, typer.Option(min=1, help="How often the blocks run.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Which world.")] = 0,
) -> None:
    """Train a decoder on a world of facts, as the laptop tier does, and write checkpoints of it."""
    mains = {s.family: s for s in settings("laptop") if isinstance(s, Learned) and s.arm == "main"}
    if family not in mains:
        raise Unknown(
            f"--family {family}: there is no such family{nearest(family, mains)}; there are {', '.join(mains)}."
        )
    main = mains[family]  # type: ignore[index]
    setting = replace(main, entities=entities or main.entities, steps=steps or main.steps, loops=loops)
    for path in learn(setting, out, every=max(1, setting.steps // checkpoints), seed=seed):
        typer.echo(path)


@app.command("lens")
def lens_command(
    folder: Folder,
    prompt: Annotated[str, typer.Argument(help="The words of a prompt.")],
    top: Annotated[int, typer.Option(min=1, help="How many tokens to show.")] = 3,
    words: Words = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Print the likeliest tokens at every place after every layer, as the logit lens sees them."""
    found = read_lens(folder, prompt, top=top, seed=seed, words=words)
    if as_json:
        typer.echo(json.dumps([{"token": token, "layers": layers} for token, layers in found], ensure_ascii=False))
        return
    for place, (token, layers) in enumerate(found):
        typer.echo(f"place {place}  {token}")
        for layer, best in enumerate(layers):
            typer.echo(f"  layer {layer}  {'  '.join(best)}")


@app.command("trace")
def trace_command(
    folder: Folder,
    prompt: Annotated[str, typer.Argument(help="The words of a prompt.")],
    other: Annotated[str, typer.Argument(help="A prompt of the same length, whose states are put in.")],
    words: Words = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Print where the other prompt's state, put in alone, changes the answer."""
    found = trace(folder, prompt, other, seed=seed, words=words)
    if as_json:
        told = {"words": found.words, "answer": found.answer, "other": found.other, "changed": found.changed}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(f"answer {found.answer}; of the other prompt {found.other}")
    for row, changed in enumerate(found.changed):
        typer.echo(f"  after block {row + 1}: {_marked(found.words, changed)}")


def _marked(words: Sequence[str], changed: Sequence[bool]) -> str:
    """Words with a star where the answer changes."""
    return "  ".join(f"{word}{'*' if star else ''}" for word, star in zip(words, changed, strict=True))
