"""What must be taught so that rules never taught are followed?

Answer: many different rules, of more than one kind; not many examples of each. In a world of string rewriting, and in
tuning language models on instructions.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Headline, Mark, Needs, Paper, Study, Tier

from .arms import FREE, SHAPES, Amount, Learned, Program, Tuned
from .claims import CLAIMS

Setting = Learned | Program | Tuned
# Where a number of rules lies by the rise of exact match on new rules; `above` is the first rung beyond its middle.
LADDER: dict[Tier, dict[int, Amount]] = {
    "smoke": {4: "least", 16: "below", 64: "above", 256: "far"},
    "laptop": {8: "least", 32: "below", 256: "above", 2048: "far"},
    "paper": {
        16: "least", 64: "between", 256: "below", 1024: "above", 4096: "between", 16_384: "far", 65_536: "between",
    },
}  # fmt: skip
LATER, IDLE = (8, 5), (16, 5)  # what is a tenth of the examples is learned last: arms that have such take more steps
CODE = "hf:ise-uiuc/Magicoder-OSS-Instruct-75K"
GENERAL = "hf:tatsu-lab/alpaca"
PROBLEMS = "hf:openai/openai_humaneval"
CHECKPOINTS = ("hf:deepseek-ai/deepseek-coder-6.7b-base", "hf:Qwen/CodeQwen1.5-7B", "hf:mistralai/Mistral-7B-v0.3")


def settings(tier: Tier) -> list[Setting]:
    """The ladder of rules, the arms that change one thing at its top, the program, and language models."""
    # DEPARTS: sides of four letters at every tier, since the shapes of a domain need them; the paper's are shorter.
    made = {
        "smoke": Learned(0, 2048, "far", width=16, layers=1, heads=2, steps=20, batch=16, warmup=5, items=20, tested=50),
        "laptop": Learned(0, 131_072, "far"),
        "paper": Learned(0, 1_048_576, "far", alphabet=26, length=16, longer=24, width=256, layers=6, heads=4, precision="auto", steps=40_000, batch=256, lr=5e-4, warmup=500, spread=1.0, items=1000, tested=4000),
    }[tier]  # fmt: skip
    ladder = [replace(made, rules=n, amount=amount) for n, amount in LADDER[tier].items()]
    at = {s.amount: s for s in ladder}
    far, least = at["far"], at["least"]
    asks = f"{FREE}+{SHAPES}"
    longer, idle = (replace(far, steps=far.steps * more // of) for more, of in (LATER, IDLE))
    shapes = [replace(longer, domains=names, asks=asks) for names in ("repeat", SHAPES, "repeat+free")]
    arms = [
        replace(far, budget="eighth", total=far.total // 8),
        *(replace(at[amount], alpha=1.5) for amount in ("above", "far")),
        *(replace(idle, idle=0.1, rules=s.rules, amount=s.amount) for s in (far, least)),
        *shapes[:2],
        replace(shapes[2], shares=(0.9, 0.1)),
        replace(far, labels="shuffled", steps=max(1, far.steps // 3)),
    ]
    program = Program(f"{FREE}+{SHAPES}", asks, far.alphabet, far.side, far.length, far.longer, min(far.items, 100))
    return [*ladder, *arms, program, *EXTRA[tier](longer, idle)]


def _smoke(longer: Learned, idle: Learned) -> list[Setting]:
    tuned = Tuned("tiny:llama", 0.2, dtype="float32")
    return [rehearse(tuned)]


def _laptop(longer: Learned, idle: Learned) -> list[Setting]:
    return []


def _paper(longer: Learned, idle: Learned) -> list[Setting]:
    """The other shapes and their pairs, half of the strings idle, and language models on mixtures of instructions."""
    shapes = SHAPES.split("+")
    pairs = ["+".join((a, b)) for i, a in enumerate(shapes) for b in shapes[i + 1 :]]
    return [
        *(replace(longer, domains=names, asks=f"{FREE}+{SHAPES}") for names in (*shapes[1:], *pairs)),
        replace(idle, idle=0.5),
        *(
            Tuned(checkpoint, share, CODE, GENERAL, PROBLEMS)
            for checkpoint in CHECKPOINTS
            for share in (0.0, 0.1, 0.2, 0.4, 0.8)
        ),
    ]


EXTRA = {"smoke": _smoke, "laptop": _laptop, "paper": _paper}


def needs(setting: Setting) -> Needs:
    """What one trial of five seeds asks of a machine."""
    if isinstance(setting, Program):
        return Needs(minutes=0.1)
    if isinstance(setting, Tuned):
        if setting.checkpoint.startswith("tiny:"):
            return Needs(minutes=0.2, extras=("hub",))
        return Needs(minutes=5 * 45, cpus=8, gpus=1, memory_gb=64, extras=("hub", "data"))
    asked = 0.05 * (setting.items / 400) * (2 + 3 * (setting.asks.count("+") + 1))
    tokens = 5.0 * setting.steps * setting.batch * (2 * setting.side + 2 * setting.length + 5)
    cost = setting.layers * setting.width / 128
    if setting.width <= 64:
        return Needs(minutes=asked + tokens * cost / 57_000 / 60, extras=("torch",))
    return Needs(
        minutes=1 + tokens * cost * setting.width / 64 / 57_000 / 60 / 300, gpus=1, memory_gb=16, extras=("torch",)
    )


def evidence(setting: Setting) -> Evidence:
    """Rules and strings are drawn here from the paper's words; instructions and problems may be those released."""
    return "released data" if isinstance(setting, Tuned) and setting.problems != "twin" else "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered."""
    if isinstance(setting, Program):
        return replace(setting, items=20)
    if isinstance(setting, Tuned):
        return replace(
            setting, checkpoint="tiny:llama", code="twin", general="twin", problems="twin", total=64, steps=20, batch=4,
            at_once=2, longest=512, rank=4, items=2, room=16, dtype="float32",
        )  # fmt: skip
    small = replace(setting, rules=min(setting.rules, 64), total=1024, width=16, layers=1, heads=2, steps=20, batch=8)
    return replace(small, warmup=5, items=20, tested=20)


STUDY = Study(
    paper=Paper(
        "Only-IF: Revealing the Decisive Effect of Instruction Diversity on Generalization", "2410.04717", 2024
    ),
    axes=("task", "domain", "length"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(
        Headline("task", "exact", 0.0, {"setting": "Learned", "amount": "far", "domains": FREE, "labels": "true"}),
        Headline("domain", "exact", 0.0, {"setting": "Learned", "domains": "repeat"}),
    ),
    marks=(
        Mark("exact", 0.0, {"rules": 300, "novel": "rules"}, "paper: 300 rules fail (recalled)"),
        Mark("exact", 1.0, {"rules": 1000, "novel": "rules"}, "paper: 1,000 rules work (recalled)"),
    ),
)
