"""Which factors of a data set make a model trained from scratch compose what it has learned?

Answer: complexity. With more primitives and more different examples, each of them repeated less, a systematic solution
is cheaper than remembering; on synthetic data simple examples help most, on larger real data a mixture does.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Headline, Needs, Paper, Study, Tier
from unseen.tasks.scan import SPLITS

from .arms import Interpreted, Real, Scanned, Setting
from .claims import CLAIMS

PRIMITIVES = {
    "smoke": (4, 8),
    "laptop": (4, 8, 20, 80, 200),
    "paper": (4, 7, 61, 601),
}  # the paper's: 1, 2, 20, 200 times
DISTINCT = {"smoke": (), "laptop": (100, 200, 400, 800), "paper": (1_000, 4_000, 16_000, 64_000)}
HEADLINE = {
    "held": "jump", "primitives": 80, "distinct": 0, "copies": 0, "skew": 0.0, "pace": "at once", "labels": "true",
}  # fmt: skip
PACES = ("novel examples", "novel primitives")


def settings(tier: Tier) -> list[Setting]:
    """One arm for each number of primitives, and arms that change one thing about the fewest, many or the most."""
    # DEPARTS: the paper trains encoder-decoders, 3 layers of width 256 each side; these are decoders that read the
    # command first, 2 layers of width 64 on a laptop, on commands of one clause.
    made = {
        "smoke": Scanned("jump", 4, 16, 1, 2, 30, 8, 3e-3, 5, 4.0, 20),
        "laptop": Scanned("jump", 4, 64, 2, 4, 1_000, 32, 3e-3, 50, 4.0, 300),
        "paper": Scanned(
            "jump", 4, 256, 6, 4, 50_000, 128, 5e-4, 1_000, 1.0, 1_000, "grammar", most_actions=48, pool=200_000
        ),
    }[tier]
    count = PRIMITIVES[tier]
    original, more, most = made, replace(made, primitives=count[-2]), replace(made, primitives=count[-1])
    arms = [replace(made, primitives=n) for n in count]
    arms += [replace(s, held="around right") for s in (original, most)]
    arms += [replace(more, distinct=n) for n in DISTINCT[tier]]
    arms += [replace(more, skew=a) for a in (0.5, 1.0)]
    arms += [replace(s, pace=pace) for s in (original, more) for pace in PACES]
    arms += [replace(original, copies={"smoke": 2, "laptop": 20, "paper": 200}[tier])]
    arms += [replace(more, labels="shuffled")]
    given = {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier](most)
    return [*arms, *given, *(Interpreted(name, {"smoke": 50}.get(tier, 500)) for name in SPLITS)]


def _smoke(most: Scanned) -> list[Setting]:
    drawn = replace(most, commands="drawn", clauses=2, most_actions=8, tested_most=16, pool=200)
    real = _real("cogs-twin", "mixed", most, 32)
    return [
        replace(most, most_actions=8, tested_most=8),
        replace(drawn, tested_most=8, most_primitives=1),
        replace(drawn, held="longer", tested_least=9),
        real,
        replace(real, subset="all", times=2),
    ]


def _laptop(most: Scanned) -> list[Setting]:
    easy = replace(most, most_actions=8, tested_most=8)
    drawn = replace(most, commands="drawn", clauses=2, most_actions=12, tested_most=12, pool=20_000)
    drawn = replace(drawn, steps=1_200, batch=64)  # two clauses take longer to learn
    longer = replace(drawn, held="longer", primitives=20, tested_least=13, tested_most=16)
    return [
        easy,
        replace(easy, most_actions=24),
        *(replace(drawn, most_primitives=n) for n in (1, 0)),
        *(replace(longer, most_actions=n) for n in (4, 6, 8, 12)),
        *(replace(_real("cogs", which, most, 40), steps=1_200) for which in ("easy", "hard", "mixed")),
    ]


def _paper(most: Scanned) -> list[Setting]:
    # DEPARTS: 200,000 drawn commands instead of 5,000,000, and lengths up to 250 where longer ones are tested on.
    drawn = replace(most, commands="drawn", clauses=80, most_actions=500, tested_most=48, pool=200_000)
    longer = replace(drawn, held="longer", tested_least=251, tested_most=500)
    quarters = ("easy", "easier", "harder", "hard", "mixed", "random")
    return [
        *(replace(drawn, most_actions=n, clauses=max(2, n * 80 // 500)) for n in (62, 125, 250, 500)),
        *(replace(drawn, most_primitives=n) for n in (2, 8, 32, 128)),
        *(replace(longer, most_actions=n) for n in (31, 62, 125, 250)),
        replace(most, skew=1.0, buckets="target length"),
        *(_real(c, which, most, 0) for c in ("cogs", "atis", "smcalflow", "smcalflow_cs") for which in quarters),
        *(_real(c, "all", most, 0, n) for c in ("cogs", "geoquery_sql", "geoquery_logic") for n in (1, 2, 20, 200)),
    ]


def _real(corpus: str, subset: str, like: Scanned, longest: int, times: int = 1) -> Real:
    """Decoders of the same shape, on a corpus."""
    shape = (like.width, like.layers, like.heads, like.steps, like.batch, like.lr, like.warmup, like.spread, like.items)
    return Real(corpus, subset, *shape, times=times, longest=longest)  # type: ignore[arg-type]


def needs(setting: Setting) -> Needs:
    """What one trial of five seeds asks of a machine, by the tokens it trains on."""
    if isinstance(setting, Interpreted):
        return Needs(minutes=0.05)
    tokens = 5.0 * setting.steps * setting.batch * _tokens(setting)
    if setting.width < 256:
        return Needs(minutes=0.1 + tokens / 60 / 85_000, extras=("torch", "data"))
    flops = tokens * setting.layers * (72 * setting.width**2 + 12 * _tokens(setting) * setting.width)
    return Needs(minutes=2 + flops / 60 / 4e13, gpus=1, cpus=2, memory_gb=16, extras=("torch", "data"))


def _tokens(setting: Scanned | Real) -> int:
    """About how many tokens a sequence has, padding counted."""
    if isinstance(setting, Real):
        return setting.longest + 3 if setting.longest else 60
    actions = setting.most_actions if setting.most_actions < 100 else setting.most_actions * 3 // 4
    return 3 + (5 if setting.commands == "clauses" else 9 if setting.clauses < 3 else actions // 2) + actions


def evidence(setting: Setting) -> Evidence:
    """The released files of COGS and users' own corpora where they are read, else commands made here."""
    return "released data" if isinstance(setting, Real) and setting.corpus != "cogs-twin" else "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered; a twin stands for corpora that must be fetched."""
    if isinstance(setting, Interpreted):
        return replace(setting, items=20)
    small = replace(setting, width=16, layers=1, heads=2, steps=20, batch=8, warmup=5, items=20)
    if isinstance(small, Real):
        return replace(small, corpus="cogs-twin", longest=32)
    return replace(small, primitives=min(small.primitives, 8), pool=min(small.pool, 200), copies=min(small.copies, 2))


STUDY = Study(
    paper=Paper(
        "Data Factors for Better Compositional Generalization",
        "2311.04420",
        2023,
        "https://github.com/owenzx/data4comp",
    ),
    axes=("composition", "length", "difficulty"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    block=5,
    needs=needs,
    evidence=evidence,
    rehearse=rehearse,
    claims=CLAIMS,
    headlines=(Headline("composition", "exact", 0.0, HEADLINE),),
)
