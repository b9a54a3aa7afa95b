"""Who is asked about new adjectives, and at which tier? Learners with known workings, language models, trained decoders.

Cognitive("gcm", "token")           the Generalized Context Model with exemplars that count by how often they were met
Probed("smollm2", "nonce")          a language model, asked for the 200 adjectives that do not exist
Taught("raw", "counted")            decoders trained on the exemplars, drawn as often as they were met
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from unseen.core.study import Evidence, Model, Needs, Tier

Data = Literal["twin", "released"]
Counts = Literal["pile", "wordfreq"]
SMOLLM2 = Model("smollm2")
UNTRAINED = Model("tiny:decoder")
GPT_J = Model("hf:EleutherAI/gpt-j-6b")
PYTHIA = tuple(Model(f"hf:EleutherAI/pythia-{n}") for n in ("70m", "160m", "410m", "1b", "1.4b", "2.8b", "6.9b", "12b"))


@dataclass(frozen=True, slots=True)
class Cognitive:
    """A speaker whose workings are known: a cognitive model, the people of the survey, or a coin (a control)."""

    learner: Literal["gcm", "mgl", "people", "coin"]
    weighting: Literal["type", "token"] = "type"  # people and coins have none
    counts: Counts = "pile"
    data: Data = "twin"


@dataclass(frozen=True, slots=True)
class Probed:
    """A language model and what it prefers: log-probabilities of both derivatives after twelve prompts.

    A seed is nothing here: a checkpoint prefers what it prefers, so items are told under the first seed alone.
    """

    model: Model
    words: Literal["nonce", "seen"]
    # DEPARTS: the counts are those of the Pile whatever the model read, or stand-ins; only GPT-J and Pythia read the Pile
    counts: Counts = "pile"
    data: Data = "twin"
    of: Literal["one", "sizes"] = "one"  # sizes: one of a row of models that differ in size alone
    each: int = 25  # seen adjectives of every group and band; 0: all there are
    how: Literal["scored", "chosen"] = "scored"  # chosen: asked which derivative is the noun, for models without scores
    dtype: str = "float32"


@dataclass(frozen=True, slots=True)
class Taught:
    """Decoders trained from scratch on lines `base > suffix` or `base > derivative`, of which the cause is known."""

    weighting: Literal["uniform", "log", "raw"]  # each pair as often as any, as log10(count + 1), as its count
    corpus: Literal["counted", "ruled"] = "counted"  # ruled: a rule says which suffix, a positive control
    learner: Literal["trained", "untrained", "shuffled"] = "trained"  # the last two are controls
    data: Data = "twin"
    endings: tuple[str, ...] = ("ive", "ous")
    script: Literal["sounds", "letters"] = "sounds"
    written: Literal["suffix", "derivative"] = "suffix"
    made: int = 100  # further nonce words of every ending, joined from halves of seen ones
    items: int = 300  # of the pairs trained on, asked again
    width: int = 64  # features of the residual stream
    layers: int = 2
    heads: int = 4
    steps: int = 800  # optimizer steps
    batch: int = 64  # lines a step
    lr: float = 3e-3  # the highest rate
    spread: float = 4.0  # of the initial weights, in those of GPT-2


Setting = Cognitive | Probed | Taught
ARMS: tuple[tuple[str, str], ...] = (
    ("uniform", "counted"),
    ("log", "counted"),
    ("raw", "counted"),
    ("uniform", "ruled"),
)


def settings_of(tier: Tier) -> list[Setting]:
    """The settings of a tier."""
    return {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier]()


def _cognitive(data: Data, *counts: Counts) -> list[Cognitive]:
    made = [Cognitive(who, how, c, data) for c in counts for who in ("gcm", "mgl") for how in ("type", "token")]
    return [*made, Cognitive("people", data=data), Cognitive("coin", data=data)]


def _taught(like: Taught) -> list[Taught]:
    trained = [replace(like, weighting=w, corpus=c) for w, c in ARMS]  # type: ignore[arg-type]
    return [*trained, *(replace(trained[0], learner=who) for who in ("untrained", "shuffled"))]


def _smoke() -> list[Setting]:
    small = Taught("uniform", made=4, items=20, width=16, layers=1, heads=2, steps=20, batch=16)
    probed = [Probed(UNTRAINED, words, each=4) for words in ("nonce", "seen")]
    return [*_cognitive("twin", "pile"), *probed, *_taught(small)]


def _laptop() -> list[Setting]:
    # DEPARTS: an instruction model of 135 million weights stands for GPT-J of six billion, which two cores cannot run
    probed = [Probed(SMOLLM2, words, data="released") for words in ("nonce", "seen")]
    probed.append(Probed(SMOLLM2, "seen", "wordfreq", "released"))
    # DEPARTS: the paper trains nothing; small decoders show whether its comparison finds a cause that is known
    return [*_cognitive("released", "pile"), *probed, *_taught(Taught("uniform", data="released"))]


def _paper() -> list[Setting]:
    whole = Probed(GPT_J, "nonce", data="released", each=0, dtype="bfloat16")
    probed = [replace(whole, words=words) for words in ("nonce", "seen")]
    probed.append(replace(whole, words="seen", counts="wordfreq"))
    probed += [replace(whole, model=model, of="sizes") for model in PYTHIA]
    large = Taught("uniform", data="released", endings=("able", "ish", "ive", "ous"), width=256, layers=4, heads=8)
    large = replace(large, steps=20_000, batch=256, lr=5e-4, spread=2.0, made=500, items=2_000)
    scripts = (("sounds", "suffix"), ("letters", "derivative"))
    arms = [s for script, written in scripts for s in _taught(replace(large, script=script, written=written))]  # type: ignore[arg-type]
    return [*_cognitive("released", "pile"), *probed, *arms]


def needs_of(setting: Setting) -> Needs:
    """What one trial of five seeds asks of a machine, as measured on one core of a busy one."""
    if isinstance(setting, Cognitive):
        return Needs(0.3)
    if isinstance(setting, Taught):
        if setting.learner == "untrained":
            return Needs(0.4, extras=("torch",))
        length = 14 if setting.written == "suffix" else 26
        cost = setting.layers / 2 * (setting.width / 64) ** 1.6 * length
        minutes = 0.5 + 5 * setting.steps * setting.batch * cost / 15_500 / 60
        if setting.width > 128:
            return Needs(minutes / 50, cpus=2, gpus=1, memory_gb=16, extras=("torch",))
        return Needs(minutes, extras=("torch",))
    extras = {"api": ("server",), "py": (), "replay": ()}.get(setting.model.partition(":")[0], ("hub",))
    extras = (*extras, *(("text",) if setting.counts == "wordfreq" else ()))
    if setting.model == UNTRAINED:
        return Needs(0.3, extras=("torch",))
    if not setting.each and setting.words == "seen":
        return Needs(240, gpus=1, memory_gb=40, extras=extras)
    if setting.of == "sizes" or setting.model == GPT_J:
        return Needs(15, gpus=1, memory_gb=40, extras=extras)
    return Needs(2, memory_gb=3, extras=extras)


def evidence_of(setting: Setting) -> Evidence:
    """The released words, counts and votes, where they are read; the paper's own model with them is the paper's scale."""
    if setting.data == "twin" or isinstance(setting, Taught):
        return "twin"
    whole = isinstance(setting, Probed) and setting.model == GPT_J and setting.counts == "pile"
    return "paper scale" if whole else "released data"


def rehearsed(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered, a small model of the same class, and the twin of the data."""
    if isinstance(setting, Cognitive):
        return replace(setting, data="twin")
    if isinstance(setting, Probed):
        return replace(setting, model=Model("tiny:gpt_neox"), data="twin", counts="pile", each=3, dtype="float32")
    small = replace(setting, data="twin", width=16, layers=1, heads=2, steps=20, batch=16, made=4, items=20)
    return small
