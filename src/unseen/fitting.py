"""How does a model come to be tuned on an owner's rows, and when does it stop to generalize? What `unseen fit` does.

    fit("lora", "smollm2", Path("train.jsonl"), Path("mine"), shifted=Path("held.jsonl"))
    mine/adapter_model.safetensors …    saved with save_pretrained: `unseen card hf:BASE+mine`
    mine/sae/cfg.json …                 of `resa`, the dictionary it was tuned through, as SAELens opens it
    mine/looks.jsonl                    what each look at the watched rows found, row by row, as it is found
    mine/fit.json, mine/fit.html        what was asked, and the two curves

An interrupted fit goes on when the same is asked again; another one into the same folder is refused.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from .core.disk import digest_of_file, whole
from .core.errors import Invalid
from .core.lab import Lab, cache_folder, offline
from .live import Watch, telling
from .measures.parting import Look, Parting, looks_of, parting
from .methods import ranks
from .methods.tuning import Recipe
from .tasks.owned import Pair, pairs

FEATURES = 16  # latents of a dictionary for each number of an activation, where none are asked for
HELD_SHARE = 0.1  # of the training rows, at most, held out where no reference is given


@dataclass(frozen=True, slots=True)
class Through:
    """What `resa` tunes through: a dictionary of the source's activations after block `layer`, of so many latents, of
    which k are kept."""

    source: str  # a model, such as the one to be tuned after reinforcement
    pin: str
    layer: int
    features: int
    k: int


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked: a recipe, the model's pin, the files' digests, how the training is watched, and what `resa` is
    tuned through."""

    recipe: Recipe
    model: str
    pin: str
    train: str
    reference: str | None
    shifted: str | None
    every: int
    watched: int
    digests: Mapping[str, str] = field(default_factory=dict[str, str])
    fields: tuple[str, str] | None = None  # the files' names of prompt and answer, where they are unusual
    through: Through | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return json.loads(json.dumps(asdict(self)))

    def settings(self) -> dict[str, Any]:
        """What was asked, in one level: what others are told of a fit."""
        told = self.to_json()
        recipe, through = told.pop("recipe"), told.pop("through") or {}
        rest = {k: v for k, v in told.items() if k not in ("digests", "fields") and v is not None}
        return {**recipe, **{f"through.{k}": v for k, v in through.items()}, **rest}

    @property
    def key(self) -> str:
        """The key of the events that a fit tells."""
        return f"fit {self.recipe.method}"

    @staticmethod
    def of_json(told: Mapping[str, Any]) -> Order:
        """The order that `to_json` wrote."""
        fields, through = told["fields"], told["through"]
        return Order(**{
            **told,
            "recipe": Recipe(**told["recipe"]),
            "fields": None if fields is None else (fields[0], fields[1]),
            "through": None if through is None else Through(**through),
        })  # fmt: skip


@dataclass(frozen=True)
class Fitted:
    """A tuned model: its name, its folder, what was asked, and what the looks found."""

    name: str
    folder: Path
    order: Order
    rows: int
    looks: Sequence[Look]
    notes: Sequence[str] = ()

    @property
    def parting(self) -> Parting | None:
        """When the shifted rows parted from the reference; None where none were watched."""
        return parting(self.looks)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        found = self.parting
        looks = [
            {"step": k.step, **{s: {m: float(np.mean(v)) for m, v in its.items()} for s, its in k.each.items()}}
            for k in self.looks
        ]
        told = None if found is None else {**asdict(found), "parted": found.parted, "words": found.words()}
        asked = self.order.to_json()
        return {"name": self.name, "asked": asked, "rows": self.rows, "looks": looks, "parting": told, "notes": list(self.notes)}  # fmt: skip


def fit(
    order: Order, out: Path, *, device: str = "cpu", fresh: bool = False, processes: int = 1, watch: Watch | None = None
) -> Fitted:
    """The model that was asked for, tuned and saved in `out`; where that was done already, what was found then.

    With `processes` it is shared among so many ranks, one accelerator each; what is found is the same, and an
    interrupted fit goes on with any number of them. Raises Invalid where `out` holds another fit or the rows cannot be
    dealt out, Missing or Invalid for files and models that cannot be had.
    """
    _check_processes(order.recipe, processes)
    place = out / "training"
    if fresh:
        for path in (out / "fit.json", out / "looks.jsonl"):
            path.unlink(missing_ok=True)
        for path in (place, out / "sae"):
            shutil.rmtree(path, ignore_errors=True)
    else:
        _check_folder(order, out)
    rows, looked = _rows(order)
    if not _done(out):
        out.mkdir(parents=True, exist_ok=True)
        whole(out / "fit.json", json.dumps({"asked": order.to_json(), "done": False}, indent=1).encode())
        lab = Lab(
            (order.recipe.seed,),
            out,
            cache_folder(),
            device,
            offline(),
            state=place,
            tell=telling(watch, order.key),
        )
        name = ranks.run(tuned_here, processes, order.to_json(), str(out), lab=lab)[0]
        told = {"asked": order.to_json(), "done": True, "name": name, "rows": len(rows)}
        whole(out / "fit.json", json.dumps(told, indent=1).encode())
        shutil.rmtree(place, ignore_errors=True)
    name = json.loads((out / "fit.json").read_text(encoding="utf-8"))["name"]
    notes = [] if "shifted" in looked else ["No shifted rows were watched; --shifted FILE names some."]
    return Fitted(name, out, order, len(rows), looks_of(out / "looks.jsonl"), notes)


def ordered(
    recipe: Recipe,
    model: str,
    train: Path,
    *,
    reference: Path | None = None,
    shifted: Path | None = None,
    every: int = 0,
    watched: int = 64,
    fields: tuple[str, str] | None = None,
    through: Through | None = None,
) -> Order:
    """An order from what was asked; `every=0` looks ten times. Raises Mistake for a model or a file that is not there."""
    from .models import probe, resolve
    from .models.hub import parts

    if watched < 1 or every < 0:
        raise Invalid(f"watched={watched}, every={every}: at least one row is watched, every so many steps.")
    named = {"train": train, "reference": reference, "shifted": shifted}
    for path in (p for p in named.values() if p is not None):
        next(pairs(path, fields=fields))  # that it is there and has rows, before the model is
    if model.startswith("tiny:"):
        raise Invalid(f"--model {model}: its weights are random and lie in no folder; name a checkpoint.")
    probe(model)
    if (recipe.method == "resa") != (through is not None):
        raise Invalid(f"method {recipe.method}: resa, and no other, is tuned through a source's activations; name it with --source.")  # fmt: skip
    if recipe.method != "full" and model.startswith("hf:") and parts(model.removeprefix("hf:"))[1] is not None:
        raise Invalid(f"--model {model} has an adapter, and none can be named on top of it; merge it, or fit full.")
    digests = {name: digest_of_file(p) for name, p in named.items() if p is not None}
    texts = {name: None if p is None else str(p) for name, p in named.items()}
    look = every or max(1, recipe.steps // 10)
    return Order(
        recipe,
        model,
        resolve(model),
        str(train),
        texts["reference"],
        texts["shifted"],
        look,
        watched,
        digests,
        fields,
        through,
    )


def through(model: str, source: str | None, layer: int, features: int, k: int) -> Through:
    """What `resa` tunes through. Zeros choose: layer the middle one, features sixteen for each number of an activation.

    Raises Mistake for a source that is not there, Invalid for numbers that fit no such models.
    """
    from transformers import AutoConfig

    from .models import probe, resolve
    from .models.hub import fetched, parts

    if source is None:
        raise Invalid("fit resa takes the model whose ability is to be carried over: name it with --source.")
    sizes: list[tuple[int, int]] = []
    for flag, name in (("--model", model), ("--source", source)):
        if not name.startswith("hf:"):
            raise Invalid(
                f"{flag} {name}: resa reads activations inside a checkpoint; name one as hf:ORG/NAME or hf:PATH."
            )
        probe(name)
        base, _ = parts(resolve(name).removeprefix("hf:"))
        config = AutoConfig.from_pretrained(str(fetched(base)), local_files_only=True).get_text_config()
        sizes.append((config.hidden_size, config.num_hidden_layers))
    (width, depth), (theirs, blocks) = sizes
    if theirs != width:
        raise Invalid(f"--source {source} is {theirs} wide, --model {model} {width}; a dictionary of one is none of the other.")  # fmt: skip
    at, many = layer or max(1, depth // 2), features or FEATURES * width
    if not 1 <= at < min(depth, blocks + 1):
        raise Invalid(f"--layer {layer}: a layer from 1 to {min(depth - 1, blocks)} has blocks to be tuned after it, and the source has it too.")  # fmt: skip
    if not 1 <= k <= many:
        raise Invalid(f"--k {k}, --features {many}: of the features 1 or more are kept.")
    return Through(source, resolve(source), at, many, k)


def steps_of(train: Path, epochs: float, batch: int, fields: tuple[str, str] | None = None) -> int:
    """The steps in which each row is seen so often. Raises Invalid for none, Missing for a file that is not there."""
    if epochs <= 0 or batch < 1:
        raise Invalid(f"--epochs {epochs:g}, --batch {batch}: each row is seen, some rows a step.")
    return max(1, ceil(epochs * sum(1 for _ in pairs(train, fields=fields)) / batch))


def _rows(order: Order) -> tuple[list[Pair], dict[str, list[Pair]]]:
    """(rows to train on, rows to watch by side). Without a reference some of the training rows are held out for it."""
    rows = list(pairs(Path(order.train), fields=order.fields))
    rng = np.random.default_rng(order.recipe.seed)
    looked: dict[str, list[Pair]] = {}
    if order.reference is None:
        n = max(1, min(order.watched, int(HELD_SHARE * len(rows))))
        looked["reference"] = _some(rows, n, rng)
        held = {(row.before, row.prompt) for row in looked["reference"]}
        rows = [row for row in rows if (row.before, row.prompt) not in held]
        if not rows:
            raise Invalid(f"{order.train} asks one thing only; name rows to watch with --reference.")
    else:
        looked["reference"] = _some(list(pairs(Path(order.reference), fields=order.fields)), order.watched, rng)
    if order.shifted is not None:
        looked["shifted"] = _some(list(pairs(Path(order.shifted), fields=order.fields)), order.watched, rng)
    return rows, looked


def _some(rows: Sequence[Pair], n: int, rng: np.random.Generator) -> list[Pair]:
    chosen = rng.permutation(len(rows))[:n]
    return [rows[i] for i in sorted(chosen)]


def tuned_here(lab: Lab, asked: Mapping[str, Any], folder: str) -> str:
    """Train, look, save what an order in plain JSON asks; the name under which the model is opened from then on.

    This process does it, alone or as one of several ranks, of which the first writes.
    """
    from .models.engine import quiet

    quiet()  # before the trainers are imported, which bring libraries that talk
    from .methods import sharded
    from .methods.trainer import opened
    from .methods.tuning import prepared, tuned

    order, out = Order.of_json(asked), Path(folder)
    rows, looked = _rows(order)
    with sharded.in_turn(lab):
        model, tokenizer = opened(order.pin, order.recipe.dtype, lab)
        base = str(model.config.name_or_path)
        if order.through is None:
            model = prepared(model, order.recipe, lab)
    looking = _looking(order, looked, tokenizer, lab, out)
    if order.through is not None:
        after = _through(order, order.through, (model, tokenizer), rows, lab, looking, out / "sae")
    else:
        after = tuned(model, tokenizer, rows, order.recipe, lab, callbacks=[looking])
    sharded.save(after, out)
    if ranks.rank() == 0:
        tokenizer.save_pretrained(str(out))
    kind, _, rest = order.pin.partition(":")
    return f"hf:{out}" if order.recipe.method == "full" else f"hf:{rest if kind == 'hf' else base}+{out}"


def _looking(order: Order, looked: Mapping[str, Sequence[Pair]], tokenizer: Any, lab: Lab, out: Path) -> Any:
    """What looks at the watched rows while a trainer trains, writes what it finds and tells the lab."""
    from .measures.answered import Answered
    from .measures.watch import Watch as Looking
    from .methods.trainer import heard

    sides = {side: Answered(held, tokenizer) for side, held in looked.items()}

    def found(told: Mapping[str, float]) -> None:
        step = int(told["step"])
        if step % order.every and step != order.recipe.steps:
            return  # where a training that was interrupted goes on: a look that one at a stretch has not
        if ranks.rank():
            return  # all look, since all compute together; one tells
        each = {side: {m: v.round(6).tolist() for m, v in one.each.items()} for side, one in sides.items()}
        with (out / "looks.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "each": each}) + "\n")
        shown = {side: round(told[f"{side}/exact"], 3) for side in sides}
        surprise = {f"surprise/{side}": round(told[f"{side}/surprise"], 4) for side in sides}
        heard(lab, step, order.recipe.steps, **shown, **surprise)

    return Looking(sides, every=order.every, tell=found)


def _through(
    order: Order, how: Through, target: tuple[Any, Any], rows: Sequence[Pair], lab: Lab, looking: Any, place: Path
) -> Any:
    """The target tuned through a dictionary of the source, which is learned first, unless `place` holds it already."""
    from .measures import sae
    from .methods import sae_tuning
    from .methods.trainer import opened

    laid, _ = sae_tuning.laid(target[1], rows, order.recipe.longest)
    if not (place / sae.TOLD).is_file():
        source, _ = opened(how.pin, order.recipe.dtype, lab)
        x = sae_tuning.activations(source, laid, (how.layer,))[how.layer]
        hook = f"{sae_tuning.blocks(source)[0]}.{how.layer - 1}"
        del source
        made = sae.fit(x, how.features, k=how.k, seed=order.recipe.seed, tell=lambda done: lab.within(done))
        spare = place.with_name(".sae")
        sae.save(made, spare, model=how.source, hook=hook)
        spare.replace(place)
    made = sae.load(place).to(lab.device)
    return sae_tuning.tuned(target[0], laid, order.recipe, lab, layer=how.layer, replace=made, callbacks=[looking])


def _check_processes(recipe: Recipe, n: int) -> None:
    """Raise Invalid for a number of ranks that this recipe has no use for."""
    from .methods.trainer import dividing

    if n < 1:
        raise Invalid(f"--num-processes {n}: at least one process trains.")
    if n > 1 and recipe.method == "resa":
        raise Invalid(f"--num-processes {n}: resa reads and replaces activations inside one process; leave it out, or fit lora.")  # fmt: skip
    dividing(recipe.at_once or recipe.batch, n)


def _done(out: Path) -> bool:
    path = out / "fit.json"
    return path.is_file() and bool(json.loads(path.read_text(encoding="utf-8")).get("done"))


def _check_folder(order: Order, out: Path) -> None:
    """Raise Invalid where the folder is another's."""
    path = out / "fit.json"
    if out.exists() and not out.is_dir():
        raise Invalid(f"--out {out} is a file; name a folder.")
    if not path.is_file():
        if out.is_dir() and any(out.iterdir()):
            raise Invalid(f"--out {out} holds other files and no fit.json; name a new folder.")
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))["asked"]
    except (ValueError, KeyError, TypeError):
        raise Invalid(f"{path} cannot be read; remove the folder, or name another.") from None
    now = order.to_json()
    if other := [k for k in now if k not in ("train", "reference", "shifted") and now[k] != before.get(k)]:
        said = "; ".join(f"{k} {before.get(k)} then, {now[k]} now" for k in other)
        raise Invalid(f"--out {out} holds another fit ({said}); name another folder, or fit anew with --fresh.")
