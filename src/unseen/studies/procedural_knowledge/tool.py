"""Which of your documents does a model's answer rest on? Ranked by EK-FAC influence, as parquet and as a page.

unseen use procedural_knowledge trace smollm2 --query "What is 3 + 4?" --answer " 7" --documents corpus.jsonl --out traced

    query 0  What is 3 + 4?
      1   +12.31   doc 17   Question: Ana has 3 apples …
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from unseen.core.errors import Invalid, Missing

app = typer.Typer(
    help="Which documents does a model's answer rest on? Their influence on its log-probability.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
SHOWN = 300  # letters of a document on the page
TEXTS = ("text", "document", "content")
PROMPTS, ANSWERS = ("prompt", "question", "query"), ("answer", "completion", "response", "truth")
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Influence on {model}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td,th{{padding:.3rem .6rem;text-align:left;vertical-align:top;border-top:1px solid #8884}}
td:nth-child(-n+3){{white-space:nowrap;font-variant-numeric:tabular-nums}}</style>
<h1>What {model} rests on</h1><p>{lead}</p>{sections}</html>
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is traced: completions of prompts, and the documents with their names."""

    queries: tuple[tuple[str, str], ...]
    documents: tuple[str, ...]
    names: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class How:
    """How it is traced: which layers, how many tokens of a text, how many pairs of vectors a query's gradient keeps."""

    layers: tuple[str, ...] = ()
    blocks: int = 2  # where no layers are named: the MLPs of so many last blocks
    tokens: int = 256
    fitted: int = 256  # documents that the curvature is fitted on
    batch: int = 8
    rank: int | None = None
    damping: float | None = None
    dtype: str = "float32"
    device: str = "cpu"
    seed: int = 0
    folder: Path | None = None  # where a fit that is killed goes on


@app.callback()
def main() -> None:
    """Which documents does a model's answer rest on? Their influence on its log-probability."""


@app.command("trace")
def trace_command(
    model: Annotated[str, typer.Argument(help="A model computed here: hf:…, gguf:…, smollm2, tiny:…")],
    query: Annotated[str, typer.Option("--query", help="A prompt, or a jsonl file of prompt and answer.")],
    documents: Annotated[
        Path, typer.Option("--documents", help="jsonl with a column text (or prompt and answer), or lines of text.")
    ],
    answer: Annotated[
        str | None, typer.Option("--answer", help="The completion that is traced; else what the model writes.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The folder for scores.parquet and page.html.")] = Path("traced"),
    layers: Annotated[
        list[str] | None, typer.Option("--layers", help="Patterns of layers' names; may be repeated.")
    ] = None,
    blocks: Annotated[
        int, typer.Option("--blocks", min=1, help="Without --layers: the MLPs of so many last blocks.")
    ] = 2,
    max_length: Annotated[
        int, typer.Option("--max-length", min=2, help="Tokens of a document; longer ones are cut.")
    ] = 256,
    fit_on: Annotated[int, typer.Option("--fit-on", min=1, help="Documents that the curvature is fitted on.")] = 256,
    rank: Annotated[
        int | None, typer.Option("--rank", min=1, help="Pairs of vectors kept of a query's gradient.")
    ] = None,
    damping: Annotated[
        float | None, typer.Option("--damping", min=0, help="Else a tenth of the mean eigenvalue.")
    ] = None,
    dtype: Annotated[str, typer.Option("--dtype", help="float32 or bfloat16.")] = "float32",
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, …")] = "cpu",
    top: Annotated[int, typer.Option("--top", min=1, help="Documents shown of each query.")] = 5,
    seed: Annotated[int, typer.Option("--seed", help="Of the labels drawn from the model.")] = 0,
    resume: Annotated[
        Path | None, typer.Option("--resume", help="Keep what is fitted there, and go on from it.")
    ] = None,
) -> None:
    """Rank documents by how much training on them would raise the log-probability of an answer (positive: helpful)."""
    how = How(
        tuple(layers or ()), blocks, max_length, fit_on, rank=rank, damping=damping, dtype=dtype, device=device, seed=seed,
        folder=resume,
    )  # fmt: skip
    known = read_documents(documents)
    asked = Asked(read_queries(query, answer, model, device, dtype), *known)
    scores = trace(model, asked, how)
    for path in write(scores, asked, out, model, top):
        typer.echo(path)
    for number, (line, row) in enumerate(zip(asked.queries, scores, strict=True)):
        typer.echo(f"query {number}  {line[0]}{line[1]}")
        for place, i in enumerate(np.argsort(-row, kind="stable")[:top], 1):
            typer.echo(f"  {place:<3} {row[i]:+.4g}  {asked.names[i]}  {' '.join(asked.documents[i].split())[:80]}")


def trace(model: str, asked: Asked, how: How | None = None) -> NDArray[np.float32]:
    """How much each document helps each completion, float32[query document].

    Raises Invalid for a model that is not computed here, no documents, a completion longer than the context, or layers that
    are not there.
    """
    from unseen.measures import influence

    from .opened import opened

    told = how or How()
    if told.dtype not in ("float32", "bfloat16"):
        raise Invalid(f"--dtype {told.dtype}: gradients are computed in float32 or bfloat16.")
    one = opened(_pinned(model), device=told.device, dtype=told.dtype)
    most = min(told.tokens, one.context)
    read = [one.encoded(text)[:most] for text in asked.documents]
    if short := [asked.names[i] for i, row in enumerate(read) if len(row) < 2]:
        raise Invalid(f"document {short[0]} has fewer than two tokens, so nothing in it is predicted; leave it out.")
    queries, lengths = one.pairs(asked.queries)
    kept = influence.Recipe(seed=told.seed, dtype=told.dtype, folder=told.folder)  # type: ignore[arg-type]
    layers = list(told.layers) or one.last_mlps(told.blocks)
    factors = influence.fit(
        one.model, influence.next_token, influence.batches(read[: told.fitted], size=told.batch), layers=layers,
        damping=told.damping, recipe=kept,
    )  # fmt: skip
    batched = influence.batches(queries, size=told.batch, answers=lengths)
    return influence.scores(factors, batched, influence.batches(read, size=told.batch), rank=told.rank)


def read_documents(path: Path) -> tuple[tuple[str, ...], tuple[str | int, ...]]:
    """(texts, names) of a file: jsonl with `text` (or `prompt` and `answer`) and perhaps `id`, else lines of text.

    Raises Missing where there is no file, Invalid for a row without text or a file without rows.
    """
    lines = _lines("--documents", path)
    if not lines:
        raise Invalid(f"--documents {path}: the file has no documents.")
    if path.suffix != ".jsonl":
        return tuple(lines), tuple(range(len(lines)))
    rows = [_row(path, number, line) for number, line in enumerate(lines, 1)]
    texts: list[str] = []
    for number, row in enumerate(rows, 1):
        if (text := _first(row, TEXTS)) is None:
            prompt, answer = _first(row, PROMPTS), _first(row, ANSWERS)
            if prompt is None or answer is None:
                raise Invalid(
                    f"{path}, line {number}: it has no text, nor a prompt with an answer; there are {', '.join(row)}."
                )
            text = f"{prompt} {answer}"
        texts.append(text)
    return tuple(texts), tuple(row.get("id", i) for i, row in enumerate(rows))


def read_queries(query: str, answer: str | None, model: str, device: str, dtype: str) -> tuple[tuple[str, str], ...]:
    """(prompt, completion) of a prompt, or of each row of a jsonl file; completions that are lacking are the model's own.

    Raises Invalid for a row without a prompt, or where the model writes nothing.
    """
    path = Path(query)
    if path.suffix == ".jsonl":
        rows = [_row(path, i, line) for i, line in enumerate(_lines("--query", path), 1)]
        pairs = [(_first(row, PROMPTS), _first(row, ANSWERS)) for row in rows]
    else:
        pairs = [(query, answer)]
    if not pairs or any(prompt is None for prompt, _ in pairs):
        raise Invalid(f"--query {query}: every row needs a column prompt.")
    lacking = [str(prompt) for prompt, told in pairs if told is None]
    written = iter(_written(model, lacking, device, dtype) if lacking else [])
    return tuple((str(prompt), next(written) if told is None else told) for prompt, told in pairs)


def write(scores: NDArray[np.float32], asked: Asked, out: Path, model: str, top: int) -> tuple[Path, Path]:
    """Write the ranking of every document as scores.parquet and the ends of each ranking as page.html; their paths."""
    from unseen.measures import influence

    kept = influence.write(out / "scores.parquet", scores, list(range(len(asked.queries))), asked.names)
    page = out / "page.html"
    page.write_text(_page(scores, asked, model, top), encoding="utf-8")
    return kept, page


def _page(scores: NDArray[np.float32], asked: Asked, model: str, top: int) -> str:
    lead = (
        f"Influence of {len(asked.documents)} documents on the log-probability of each answer. Positive: training on the document "
        "raises it. Numbers compare documents of one query, not queries or models."
    )
    sections = []
    for (prompt, answer), row in zip(asked.queries, scores, strict=True):
        order = np.argsort(-row, kind="stable")
        best, worst = order[:top], order[max(top, len(order) - top) :]
        lines = [_line(place, i, row, asked) for place, i in enumerate(best, 1)]
        lines += [_line(len(order) - len(worst) + place, i, row, asked) for place, i in enumerate(worst, 1)]
        head = "<tr><th>rank<th>influence<th>document<th>text</tr>"
        sections.append(
            f"<h2>{html.escape(prompt)}<b>{html.escape(answer)}</b></h2><table>{head}{''.join(lines)}</table>"
        )
    return PAGE.format(model=html.escape(model), lead=html.escape(lead), sections="".join(sections))


def _line(place: int, i: int, row: NDArray[np.float32], asked: Asked) -> str:
    text = html.escape(asked.documents[i][:SHOWN])
    return f"<tr><td>{place}<td>{row[i]:+.4g}<td>{html.escape(str(asked.names[i]))}<td>{text}</tr>"


def _written(model: str, prompts: Sequence[str], device: str, dtype: str) -> list[str]:
    """What the model itself writes after each prompt."""
    from unseen import models

    told = models.open(model, device=device, dtype=dtype).generate(prompts, max_new_tokens=32)
    if empty := [p for p, one in zip(prompts, told, strict=True) if not one.text]:
        raise Invalid(f"the model writes nothing after {empty[0][:60]!r}, so there is nothing to trace; give --answer.")
    return [one.text for one in told]


def _pinned(model: str) -> str:
    from unseen import models

    return models.resolve(model)


def _lines(flag: str, path: Path) -> list[str]:
    """The lines of a file that are not empty. Raises Missing where there is none, Invalid where it is no UTF-8 text."""
    if not path.is_file():
        raise Missing(f"{flag} {path}: there is no such file.")
    try:
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise Invalid(
            f"{flag} {path} is not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8."
        ) from None


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise Invalid(f"{path}, line {number}: this is no JSON ({error}).") from None
    if not isinstance(row, dict):
        raise Invalid(f"{path}, line {number}: it is to be an object with a column text.")
    return row


def _first(row: dict[str, Any], names: Sequence[str]) -> str | None:
    return next((str(row[name]) for name in names if row.get(name) is not None), None)
