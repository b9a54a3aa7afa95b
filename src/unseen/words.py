"""What do the words after a verb mean? The options that verbs share, and how their texts become values.

--num_fewshot=4 is --num-fewshot 4; --set width=32,64 --set test=5:6:7 sweeps two widths over one tuple
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

Studies = Annotated[list[str], typer.Argument(metavar="STUDY", help="Slugs of studies, or `all`.")]
Slug = Annotated[str, typer.Argument(metavar="STUDY", help="The slug of a study; `unseen list` prints all.")]
TierWord = Annotated[str, typer.Option("--tier", help="smoke (seconds), laptop (minutes) or paper (a cluster).")]
ModelWord = Annotated[
    str | None,
    typer.Option(
        "--model", help="hf:ORG/NAME, gguf:PATH, smollm2, api:NAME@URL, py:module:function, tiny:decoder, replay:FILE."
    ),
]
ModelName = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="hf:ORG/NAME, gguf:PATH, smollm2, api:NAME@URL, py:module:function, tiny:decoder, replay:FILE.",
    ),
]
Part = Annotated[
    str, typer.Argument(metavar="STUDY[/TASK]", help="A study; of lm-eval-tasks, also one task of a study.")
]
Form = Annotated[
    str,
    typer.Option(
        "--to",
        help="csv, parquet, lm-eval (its results and samples), lm-eval-tasks (for its --include_path), or checkpoints (folders that transformers opens).",
    ),
]
First = Annotated[
    str,
    typer.Argument(
        metavar="A", help="A model, a folder that `run --output-path` wrote, or a log of lm-eval or inspect."
    ),
]
Second = Annotated[str, typer.Argument(metavar="B", help="Another one.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=A,B", help="Replace a field of the settings; commas sweep, 5:6:7 is a tuple."),
]
Seeds = Annotated[int | None, typer.Option("--seeds", help="How many seeds, instead of the tier's own number.")]
On = Annotated[
    str,
    typer.Option(
        "--on",
        help="Where to work: here, procs:N, ray, ray://HOST:PORT, slurm or slurm:partition=P,time=MINUTES,array=N.",
    ),
]
Log = Annotated[
    str | None,
    typer.Option(
        "--log", metavar="SINKS", help="Also tell mlflow, wandb, tensorboard (comma list; each may say =WHERE)."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Measure again what is already stored.")]
Limit = Annotated[int | None, typer.Option("--limit", help="Items per split, where settings have a field `limit`.")]
Shots = Annotated[
    int | None, typer.Option("--num-fewshot", help="Exemplars, where settings have a field `num_fewshot`.")
]
Chat = Annotated[
    bool | None,
    typer.Option("--apply-chat-template/--no-apply-chat-template", help="Chat turns, where settings have the field."),
]
Dtype = Annotated[
    str | None, typer.Option("--dtype", help="float32, bfloat16, int8, …, where settings have a field `dtype`.")
]
Device = Annotated[
    str | None, typer.Option("--device", help="cpu, cuda, cuda:1, mps; the fastest there is if left out.")
]
DeviceMap = Annotated[
    str | None,
    typer.Option(
        "--device-map",
        help="auto, balanced, …: spread a checkpoint of hf: over all accelerators; replicas: a copy on each.",
    ),
]
Batch = Annotated[
    str | None, typer.Option("--batch-size", help="auto, or the number of prompts a local model takes at once.")
]
Out = Annotated[Path | None, typer.Option("--output-path", help="Also write verdicts and rows into this folder.")]
Samples = Annotated[
    bool, typer.Option("--log-samples", help="With --output-path: also every prompt and answer, as jsonl.")
]


def spelled(word: str) -> str:
    """A flag with hyphens, however it was spelled: --num_fewshot=4 is --num-fewshot=4."""
    if not word.startswith("--"):
        return word
    flag, equals, value = word.partition("=")
    return flag.replace("_", "-") + equals + value


def sweep_of(words: list[str] | None, **fields: object) -> dict[str, str]:
    """`--set` words and flags that name fields, as {field: "a,b"}. Raises Invalid for a word without `=`."""
    from .core.errors import Invalid

    found = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in fields.items()
        if value is not None
    }
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Invalid(f"--set {word}: write FIELD=VALUE, or FIELD=A,B to sweep.")
        found[name.strip()] = value
    return found


Fields = Annotated[
    str | None, typer.Option("--fields", metavar="ASKED,ANSWERED", help="Your files' names of prompt and answer.")
]


def fields_of(word: str | None) -> tuple[str, str] | None:
    """Two names from `query,intent`. Raises Invalid for another number of names."""
    from .core.errors import Invalid

    if word is None:
        return None
    names = tuple(name.strip() for name in word.split(","))
    if len(names) != 2 or not all(names):
        raise Invalid(
            f"--fields {word}: name two fields, that of the prompt and that of the answer, such as query,intent."
        )
    return names[0], names[1]


def minutes_of(word: str) -> float:
    """Minutes from `90s`, `10m`, `2h`, or a number of minutes. Raises Invalid for another word."""
    import re

    from .core.errors import Invalid

    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", word.strip())
    if found is None or float(found[1]) == 0:
        raise Invalid(f"--budget {word}: write a time such as 90s, 10m or 2h.")
    return float(found[1]) * {"s": 1 / 60, "": 1, "m": 1, "h": 60}[found[2]]


@contextmanager
def going_on() -> Generator[None]:
    """Ctrl-C and SIGTERM keep what is done and print the command that goes on; exit codes 130 and 143."""
    import shlex
    import signal

    told = list[int]()  # what is raised may be replaced on its way through another library

    def stop(number: int, _: object) -> None:
        told.append(number)
        raise KeyboardInterrupt

    before = None
    with suppress(ValueError):  # only the main thread is told of signals
        before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        again = shlex.join(["unseen", *(word for word in sys.argv[1:] if word != "--fresh")])
        print(f"\nStopped; what was done is kept. Go on with: {again}", file=sys.stderr)
        raise typer.Exit(143 if told else 130) from None
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def slugs_of(studies: list[str], *, tier: str = "smoke", model: str | None = None) -> list[str]:
    """The slugs that were named; `all` is every study, with a model every study that takes one at this tier.

    Raises Unknown for a study that is not there.
    """
    from .core import find
    from .core.study import takes_model, tier_of

    for slug in studies:
        if slug != "all":
            find.folder(slug)
    if "all" not in studies:
        return list(dict.fromkeys(studies))
    known = tier_of(tier)
    return [slug for slug in find.slugs() if model is None or takes_model(find.study(slug), known)]
