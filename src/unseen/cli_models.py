"""The verbs for a model of one's own: its card, and its tuning.

unseen card hf:./base+./mine --against hf:./base --train train.jsonl --test held.jsonl
unseen fit resa --model hf:./base --source hf:./rl --train train.jsonl --out mine
unseen fit lora --model hf:./base --train train.jsonl --shifted held.jsonl --out mine
unseen fit full --model hf:./wide --train train.jsonl --out mine --num-processes 4 --dtype bfloat16
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import words


def card(
    model: words.ModelName,
    tier: words.TierWord = "laptop",
    against: Annotated[
        str | None, typer.Option("--against", metavar="MODEL", help="A second model, compared item by item.")
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option("--train", help="The rows your model was trained on: jsonl of prompt and completion, or chat."),
    ] = None,
    test: Annotated[Path | None, typer.Option("--test", help="Rows that it was not trained on.")] = None,
    fields: words.Fields = None,
    study: Annotated[
        list[str] | None, typer.Option("--study", help="Only these studies; `none` is your own data alone.")
    ] = None,
    formats: Annotated[
        int | None,
        typer.Option(
            "--formats", help="1 to 3: the same prompts in other words, shown beside every score; 3, at smoke 1."
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", metavar="10m", help="Stop after so long; more is asked where least is known."),
    ] = None,
    on: words.On = "here",
    set_: words.Sets = None,
    limit: words.Limit = None,
    num_fewshot: words.Shots = None,
    apply_chat_template: words.Chat = None,
    dtype: words.Dtype = None,
    device: words.Device = None,
    device_map: words.DeviceMap = None,
    batch_size: words.Batch = None,
    fresh: words.Fresh = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the card: .html, .md or .json.")] = None,
    log: words.Log = None,
    json: words.Json = False,
) -> None:
    """Print one model's profile: reference, shifted, gap."""
    from . import cards, devices, driver, live, sinks, terminal_models
    from .pages import card as page

    devices.choose(device=device, batch_size=batch_size, device_map=device_map)
    if out is not None:
        page.check(out)
    flags = {"limit": limit, "num_fewshot": num_fewshot, "apply_chat_template": apply_chat_template, "dtype": dtype}
    with words.going_on(), live.watch(json) as seen, sinks.logged(seen, log) as watch:
        how = driver.How(on, fresh, watch)
        made = cards.card(
            model, tier, against=against, sweep=words.sweep_of(set_, **flags), formats=cards.formats_of(tier) if formats is None else formats,
            minutes=None if budget is None else words.minutes_of(budget), studies=study,
            data=cards.data_of(train, test, words.fields_of(fields)), how=how,
        )  # fmt: skip
    written = [page.write(made, out)] if out is not None else []
    terminal_models.card(made, written, as_json=json)
    raise typer.Exit(0 if cards.whole(made, study) else 1)


def fit(
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD",
            help="lora (an adapter), full (all weights), or resa (an adapter, through a sparse autoencoder of --source).",
        ),
    ],
    model: Annotated[str, typer.Option("--model", help="hf:ORG/NAME, a folder as hf:PATH, smollm2, gguf:PATH.")],
    train: Annotated[Path, typer.Option("--train", help="Rows to train on: jsonl of prompt and completion, or chat.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new folder for the model, its curves and a page.")],
    reference: Annotated[
        Path | None, typer.Option("--reference", help="Rows like those trained on; some are held out if left out.")
    ] = None,
    shifted: Annotated[
        Path | None, typer.Option("--shifted", help="Rows unlike them: watched beside the reference.")
    ] = None,
    fields: words.Fields = None,
    epochs: Annotated[float, typer.Option("--epochs", help="How often each row is seen.")] = 3.0,
    steps: Annotated[int | None, typer.Option("--steps", help="Steps, instead of epochs.")] = None,
    batch: Annotated[int, typer.Option("--batch", help="Rows a step.")] = 16,
    at_once: Annotated[
        int, typer.Option("--at-once", help="Rows in memory at once, of all processes; 0 is all of a step.")
    ] = 0,
    lr: Annotated[float, typer.Option("--lr", help="Learning rate; 0 is the method's usual one.")] = 0.0,
    rank: Annotated[int, typer.Option("--rank", help="The rank of LoRA's adapter.")] = 16,
    longest: Annotated[int, typer.Option("--longest", help="Tokens of a row, at most; the rest is cut off.")] = 1024,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="MODEL", help="resa: the model whose ability is to be carried over."),
    ] = None,
    layer: Annotated[int, typer.Option("--layer", help="resa: the block whose output is read; 0 is the middle.")] = 0,
    features: Annotated[int, typer.Option("--features", help="resa: latents of the dictionary; 0 chooses.")] = 0,
    k: Annotated[int, typer.Option("--k", help="resa: latents kept of a token.")] = 32,
    every: Annotated[int, typer.Option("--every", help="Steps between two looks; 0 looks ten times.")] = 0,
    watched: Annotated[int, typer.Option("--watched", help="Rows looked at, of either side.")] = 64,
    dtype: Annotated[str, typer.Option("--dtype", help="float32 or bfloat16.")] = "float32",
    device: words.Device = None,
    num_processes: Annotated[
        int, typer.Option("--num-processes", help="lora, full: ranks that share the model, an accelerator each.")
    ] = 1,
    seed: Annotated[int, typer.Option("--seed", help="The seed of rows held out, adapter and order.")] = 0,
    fresh: words.Fresh = False,
    log: words.Log = None,
    json: words.Json = False,
) -> None:
    """Tune a model on your rows, watched on others."""
    from . import devices, fitting, live, sinks, terminal_models
    from .methods.tuning import Recipe
    from .pages import fit as page

    devices.choose(device=device)
    names = words.fields_of(fields)
    n = steps if steps is not None else fitting.steps_of(train, epochs, batch, names)
    recipe = Recipe(method, n, batch, at_once, lr, rank, longest, dtype, seed)  # type: ignore[arg-type]
    through = fitting.through(model, source, layer, features, k) if method == "resa" else None
    order = fitting.ordered(
        recipe, model, train, reference=reference, shifted=shifted, every=every, watched=watched, fields=names,
        through=through,
    )  # fmt: skip
    with words.going_on(), live.watch(json) as seen, sinks.logged(seen, log) as watch:
        watch.name(order.key, order.key, out.resolve().name, order.settings())
        made = fitting.fit(order, out, device=devices.fastest(), fresh=fresh, processes=num_processes, watch=watch)
    terminal_models.fitted(made, page.write(made, out / "fit.html"), as_json=json)
