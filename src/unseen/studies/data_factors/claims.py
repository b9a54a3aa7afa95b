"""What does the paper say, as inequalities that runs can refute?

C1a: exact match on composed `jump`, with 200 primitives minus with 4, lies above 0.3.
"""

from __future__ import annotations

from collections.abc import Mapping

from unseen.core.claim import Claim, Effect, Region, above, below, gap, level, off_floor, one_of, rank, slope
from unseen.core.effect import Want

Where = Mapping[str, Want]
Given = tuple[tuple[Effect, Region], ...]

ORIGINAL, MORE, MOST = 4, one_of(61, 80), one_of(200, 601)  # primitives: SCAN's, some 20 and some 200 times as many
MAIN: Where = {
    "setting": "Scanned", "held": "jump", "commands": one_of("clauses", "grammar"), "tested_most": 0, "distinct": 0,
    "copies": 0, "skew": 0.0, "buckets": "random", "pace": "at once", "labels": "true",
}  # fmt: skip
DRAWN: Where = {**MAIN, "commands": "drawn", "tested_most": one_of(12, 48)}
LONGER: Where = {**DRAWN, "held": "longer", "tested_most": one_of(16, 500)}
LEARNED = above(0.9)  # of what was trained on, lest an under-trained model seem not to compose
SHIFTED: Where = {"shifted": True}
EVERY = (
    "setting", "held", "primitives", "width", "layers", "heads", "steps", "batch", "lr", "warmup", "spread", "items",
    "commands", "clauses", "most_actions", "most_primitives", "tested_least", "tested_most", "pool", "distinct", "copies",
    "buckets", "skew", "pace", "labels", "corpus", "subset", "times", "longest", "published",
)  # fmt: skip
AMOUNT = "not known here: the paper's tables could not be read"


def learned(*arms: Where) -> Given:
    """The preconditions that each of these arms learned what it was trained on."""
    return tuple((level("exact", split="known", **arm), LEARNED) for arm in arms)


def _finding(
    id: str, says: str, effect: Effect, expect: Region, given: Given, where: str, *, over: tuple[str, ...] = ()
) -> Claim:
    return Claim(id, says, AMOUNT, "paper", effect, expect, over=over, where=where, given=given)


def _paper_only(claim: Claim) -> Claim:
    return Claim(
        claim.id, claim.says, claim.reported, claim.source, claim.effect, claim.expect, ("paper",),
        over=claim.over, where=claim.where, given=claim.given,
    )  # fmt: skip


def _arms(id: str, says: str, first: Where, second: Where, edge: float, where: str) -> Claim:
    """A finding that one arm is right on shifted splits more often than another, by more than `edge`."""
    return _finding(id, says, gap("exact", first, second, **SHIFTED), above(edge), learned(first, second), where)


def _primitives() -> tuple[Claim, ...]:
    few, many = {**MAIN, "primitives": ORIGINAL}, {**MAIN, "primitives": MOST}
    around = {**MAIN, "held": "around right"}
    query = {"setting": "Real", "corpus": one_of("geoquery_sql", "geoquery_logic"), "subset": "all"}
    cogs = {"setting": "Real", "corpus": "cogs", "subset": "all"}
    told = "abstract: increased dataset complexity leads to better generalization"
    return (
        _arms("C1a", "With 50 times as many primitives or more, composed commands with `jump` are right far more often.", many, few, 0.3, told),
        _finding(
            "C1b", "The more primitives, the more of them are right.", rank("exact", "primitives", **MAIN, **SHIFTED),
            above(0.0), learned(few, many), told, over=("pool", "most_actions"),
        ),
        _arms(
            "C1c", "With as many more, commands with `around right` are right more often too.",
            {**around, "primitives": MOST}, {**around, "primitives": ORIGINAL}, 0.0, told,
        ),
        _paper_only(_finding(
            "C1d", "On new queries of GeoQuery, in SQL and in logic, 20 forms of each aligned word beat one.",
            gap("exact", {**query, "times": 20}, {**query, "times": 1}, split="test"), above(0.0),
            learned({**query, "times": 1}, {**query, "times": 20}), told, over=("corpus",),
        )),
        _paper_only(_finding(
            "C1e", "On the 21 cases of COGS they do, too.", gap("exact", {**cogs, "times": 20}, {**cogs, "times": 1}, split="gen"),
            above(0.0), learned({**cogs, "times": 1}, {**cogs, "times": 20}), told,
        )),
    )  # fmt: skip


def _lengths() -> tuple[Claim, ...]:
    short, long = ({**LONGER, "most_actions": most} for most in (one_of(4, 31), one_of(12, 250)))
    return (
        _finding(
            "C2a", "The longer the commands trained on may be, the more of still longer ones are right.",
            rank("exact", "most_actions", **LONGER, **SHIFTED), above(0.0), learned(short, long),
            "data with a larger number of lengths", over=("pool",),
        ),
        _arms("C2b", "Trained on up to the most actions rather than the fewest, decoders are right on still longer commands more often.",
              long, short, 0.0, "data with a larger number of lengths"),
    )  # fmt: skip


def _repetition() -> tuple[Claim, ...]:
    more = {**MAIN, "primitives": MORE}
    some = {**more, "distinct": one_of(100, 200, 400, 800, 1_000, 4_000, 16_000, 64_000)}
    even, skewed = {**more, "skew": 0.0}, {**more, "skew": 1.0}
    slanted = {k: v for k, v in more.items() if k != "skew"}
    floor = (off_floor("exact", 0.0, **even), off_floor("exact", 0.0, **skewed))  # skew itself keeps some unlearned
    where = "diversity and repetition"
    return (
        _finding(
            "C3a", "In as many steps, the more different examples, the more composed commands are right.",
            rank("exact", "distinct", **some, **SHIFTED), above(0.0), learned(some), where,
        ),
        _finding("C3b", "Sampling the same examples by Zipf's law makes fewer of them right than sampling them evenly.",
                 gap("exact", even, skewed, **SHIFTED), above(0.0), floor, where),
        _finding("C3c", "The steeper that law, the fewer are right.",
                 slope("exact", "skew", **slanted, **SHIFTED), below(0.0), floor, where),
    )  # fmt: skip


def _curricula() -> tuple[Claim, ...]:
    told = (
        ("C4a", "On SCAN's primitives, a curriculum that adds examples all the time is at least as good as all of them at once.", ORIGINAL, "novel examples"),
        ("C4b", "On 20 times as many primitives it is, too.", MORE, "novel examples"),
        ("C4c", "So is one that adds primitives, on SCAN's own.", ORIGINAL, "novel primitives"),
        ("C4d", "And one that adds primitives where there are 20 times as many.", MORE, "novel primitives"),
    )  # fmt: skip
    return tuple(
        _arms(id, says, {**MAIN, "primitives": n, "pace": pace}, {**MAIN, "primitives": n}, 0.0, "always-novel curricula")
        for id, says, n, pace in told
    )  # fmt: skip


def _without_knowledge() -> tuple[Claim, ...]:
    first = {**MAIN, "primitives": ORIGINAL, "copies": one_of(20, 200)}
    return (
        _arms(
            "C5", "Copies of the data under fresh vocabularies (AugZero) help, without any knowledge of the language.",
            first, {**MAIN, "primitives": ORIGINAL}, 0.0, "AugZero",
        ),
    )  # fmt: skip


def _difficulty() -> tuple[Claim, ...]:
    most = {**MAIN, "primitives": MOST}
    short, any_length = ({**most, "tested_most": 8, "most_actions": n} for n in (8, 24))
    deep = {**DRAWN, "primitives": MOST}
    where = "abstract: simple examples invoke stronger compositionality than hard ones"
    found = (
        ("C6a", "With 200 primitives, trained on short commands, decoders are right on short commands with `jump` more often than trained on all.", short, any_length),
        ("C6b", "Trained on commands of one primitive each, they are right more often than trained on commands that mix primitives.",
         {**deep, "most_primitives": 1}, {**deep, "most_primitives": 0}),
        ("C6c", "Trained on commands of up to 62 actions, they are right on commands with `jump` more often than trained on up to 500.",
         {**deep, "most_primitives": 0, "most_actions": 62}, {**deep, "most_primitives": 0, "most_actions": 500}),
        ("C6d", "Trained on commands of up to 2 primitives each, they are right more often than trained on up to 128.",
         {**deep, "most_primitives": 2, "most_actions": 500}, {**deep, "most_primitives": 128, "most_actions": 500}),
    )  # fmt: skip
    made = [_arms(id, says, first, second, 0.0, where) for id, says, first, second in found]
    laptop = [Claim(c.id, c.says, c.reported, c.source, c.effect, c.expect, ("laptop",), where=c.where, given=c.given) for c in made[:2]]  # fmt: skip
    return (*laptop, *map(_paper_only, made[2:]))


def _real() -> tuple[Claim, ...]:
    where = "abstract: a balanced mixture of simple and hard examples is best on larger real data"
    own = {"setting": "Real", "times": 1, "corpus": one_of("atis", "smcalflow", "smcalflow_cs")}
    cogs = {"setting": "Real", "times": 1, "corpus": "cogs"}
    found: list[Claim] = []
    for letters, arm, of in (("ab", own, "ATIS and SMCalFlow"), ("cd", cogs, "COGS")):
        for letter, other in zip(letters, ("easy", "hard"), strict=True):
            mixed, rest = {**arm, "subset": "mixed"}, {**arm, "subset": other}
            found.append(
                _finding(
                    f"C7{letter}",
                    f"Trained on a quarter of {of}, half easy and half hard by distance to prototypes, decoders are right on its test set more often than trained on the {'easiest' if other == 'easy' else 'hardest'} quarter.",
                    gap("exact", mixed, rest, split="test"),
                    above(0.0),
                    learned(mixed, rest),
                    where,
                    over=("corpus",) if arm is own else (),
                )
            )
    return (*map(_paper_only, found[:2]), *found[2:])


def _controls() -> tuple[Claim, ...]:
    wrong = {**MAIN, "primitives": MORE, "labels": "shuffled"}
    right = {**MAIN, "primitives": MORE}
    told = (
        ("K1", "The interpreter gives the actions of every published command.", level("interpreted"), above(0.99), ()),
        ("K2", "Untrained decoders answer nothing.", level("exact_untrained"), below(0.05), ()),
        ("K3", "Trained on the actions of other commands, decoders answer next to nothing.",
         level("exact", split="known", **wrong), below(0.1), learned(right)),
    )  # fmt: skip
    return tuple(
        Claim(id, says, "not reported: a control", "recalled", effect, expect, over=EVERY, given=given, kind="control")
        for id, says, effect, expect, given in told
    )


CLAIMS = (
    *_primitives(),
    *_lengths(),
    *_repetition(),
    *_curricula(),
    *_without_knowledge(),
    *_difficulty(),
    *_real(),
    *_controls(),
)
