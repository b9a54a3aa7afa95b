"""How coherent were the gradients along a training of your own? Every checkpoint of a transformers run, on a file of data.

unseen use generalization_mystery checkpoints runs/mine --data held.jsonl

    step    loss   m-coherence   alpha
     500   3.912          41.3   0.161
    1000   3.104          18.7   0.073
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from unseen.core.errors import Invalid, Missing, Unknown, missing_extra

from . import columns

app = typer.Typer(
    help="Coherence of gradients: how many other examples one example's gradient helps.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def main() -> None:
    """Coherence of gradients: how many other examples one example's gradient helps."""


@app.command("checkpoints")
def checkpoints_of(
    folder: Annotated[Path, typer.Argument(help="The output folder of a transformers Trainer, or one checkpoint.")],
    data: Annotated[Path, typer.Option("--data", help="Examples: jsonl, csv, parquet, npz or safetensors.")],
    limit: Annotated[int, typer.Option("--limit", min=2, help="Examples in the sample, drawn once for all.")] = 256,
    max_length: Annotated[int, typer.Option("--max-length", min=2, help="Tokens of a text.")] = 256,
    layers: Annotated[bool, typer.Option("--layers", help="Each layer's m-coherence too.")] = False,
    chunk: Annotated[int, typer.Option("--chunk", min=0, help="Gradients in memory at a time; 0 chooses.")] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda, …")] = "cpu",
    seed: Annotated[int, typer.Option("--seed", help="Which examples are drawn.")] = 0,
    output_path: Annotated[Path | None, typer.Option("--output-path", help="Write csv, parquet or json there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The coherence of every checkpoint in a folder on one fixed sample: m-coherence is 1 where gradients are orthogonal.

    Texts are columns `text`, or `prompt` and `answer` (or completion, response, truth); with a `label` they are
    classified. Any other columns are the model's own arguments: input_ids and labels, pixel_values and labels, …
    """
    rows = columns.read(data, limit=limit, seed=seed)
    found = list(along(folder, rows, max_length=max_length, layers=layers, chunk=chunk or None, device=device))
    if output_path is not None:
        _write(found, output_path)
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    typer.echo(f"{'step':>8} {'loss':>9} {'m-coherence':>13} {'alpha':>9}   of {found[0]['m']} examples")
    for one in found:
        typer.echo(f"{one['step']:>8} {one['loss']:>9.4f} {one['m_coherence']:>13.3f} {one['alpha']:>9.5f}")
        for name, value in one.get("layers", {}).items():
            typer.echo(f"{'':>8} {'':>9} {value:>13.3f} {'':>9}   {name}")


def along(
    folder: Path,
    rows: Mapping[str, Any],
    *,
    max_length: int = 256,
    layers: bool = False,
    chunk: int | None = None,
    device: str = "cpu",
) -> Iterator[dict[str, Any]]:
    """For each checkpoint its step, mean loss (nats), m-coherence, alpha, the unbiased alpha and m; with `layers` also
    each layer's m-coherence. `rows` are columns as `columns.read` gives them.

    Raises Missing where a folder has no checkpoint, Invalid for columns that its model does not take.
    """
    try:
        from unseen.measures.coherence import of_own_loss
    except ModuleNotFoundError as error:
        raise missing_extra("the coherence of checkpoints", error, "hub") from error
    for step, path in checkpoints(folder):
        model = loaded(path, device)
        batch = {k: v.to(device) for k, v in columns.batch(rows, model, path, max_length=max_length).items()}
        found = of_own_loss(model, batch, chunk=chunk)
        told = {
            "step": step,
            "loss": columns.mean_loss(model, batch),
            "m_coherence": found.m_coherence,
            "alpha": found.alpha,
            "unbiased_alpha": found.unbiased,
            "m": found.m,
        }
        yield {**told, "layers": {k: v.m_coherence for k, v in found.by_layer.items()}} if layers else told


def checkpoints(folder: Path) -> list[tuple[int, Path]]:
    """The checkpoints in a folder by step: its subfolders `checkpoint-N`, or the folder itself where it is one.

    Raises Missing where there is none.
    """
    if not folder.is_dir():
        raise Missing(f"there is no folder {folder}; give the output folder of a Trainer, or a checkpoint.")
    named = ((re.fullmatch(r"checkpoint-(\d+)", p.name), p) for p in folder.iterdir())
    found = sorted((int(m[1]), p) for m, p in named if m and _whole(p))
    if not found and _whole(folder):
        name = re.fullmatch(r"checkpoint-(\d+)", folder.resolve().name)
        state = folder / "trainer_state.json"
        kept = json.loads(state.read_text(encoding="utf-8")) if state.is_file() else {}
        found = [(int(name[1]) if name else int(kept.get("global_step", 0)), folder)]
    if not found:
        raise Missing(
            f"{folder} holds no checkpoint (a folder checkpoint-N with config.json or adapter_config.json); train with save_strategy='steps'."
        )
    return found


def loaded(path: Path, device: str) -> Any:
    """The model of a checkpoint, by the class its configuration names; an adapter's base is loaded, and only what was
    trained has gradients. Raises Unknown for a class that transformers has not, Missing where it cannot be read."""
    try:
        import transformers
    except ModuleNotFoundError as error:
        raise missing_extra("the coherence of checkpoints", error, "hub") from error
    try:
        if (path / "adapter_config.json").is_file():
            return _adapted(path).to(device)
        config = transformers.AutoConfig.from_pretrained(str(path), local_files_only=True, trust_remote_code=False)
        name = (config.architectures or ["none"])[0]
        kind = getattr(transformers, name, None)
        if kind is None:
            raise Unknown(f"{path} is of the class {name}, which this transformers has not; models with code of their own are not run.")  # fmt: skip
        return kind.from_pretrained(str(path), local_files_only=True).to(device)
    except (OSError, ValueError, RuntimeError) as error:
        raise Missing(f"the checkpoint {path} cannot be loaded ({' '.join(str(error).split())[:300]}).") from error


def _adapted(path: Path) -> Any:
    try:
        import peft
    except ModuleNotFoundError as error:
        raise missing_extra("a checkpoint that is an adapter", error, "hub") from error
    kind = json.loads((path / "adapter_config.json").read_text(encoding="utf-8")).get("task_type")
    classes = {"CAUSAL_LM": peft.AutoPeftModelForCausalLM, "SEQ_CLS": peft.AutoPeftModelForSequenceClassification}
    if kind not in classes:
        raise Invalid(f"the adapter {path} was trained for {kind}; those for {' or '.join(classes)} are read.")
    return classes[kind].from_pretrained(str(path), is_trainable=True)


def _whole(path: Path) -> bool:
    if (path / "adapter_config.json").is_file():
        return True
    return (path / "config.json").is_file() and bool([*path.glob("*.safetensors"), *path.glob("pytorch_model*.bin")])


def _write(found: list[dict[str, Any]], to: Path) -> None:
    """Rows of numbers as csv, parquet or json by the file's ending; layers become columns."""
    flat = [
        {
            **{k: v for k, v in one.items() if k != "layers"},
            **{f"layer/{k}": v for k, v in one.get("layers", {}).items()},
        }
        for one in found
    ]
    to.parent.mkdir(parents=True, exist_ok=True)
    if to.suffix == ".json":
        to.write_text(json.dumps(found, indent=1), encoding="utf-8")
        return
    import polars as pl

    frame = pl.DataFrame(flat)
    if to.suffix == ".csv":
        frame.write_csv(to)
    elif to.suffix == ".parquet":
        frame.write_parquet(to)
    else:
        raise Invalid(f"--output-path {to}: it ends in .csv, .parquet or .json.")
