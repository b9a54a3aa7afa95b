"""What does the paper claim of -ity and -ness, where does each claim lie here, and what must hold whatever is true?

C2d: on -ive and -ous, a model's choices agree with the token exemplar model more than with the type one.
"""

from __future__ import annotations

from collections.abc import Iterator

from unseen.core.claim import (
    Claim,
    Effect,
    Linear,
    Region,
    above,
    below,
    between,
    gap,
    level,
    minus,
    off_floor,
    rank,
)
from unseen.core.effect import Want
from unseen.core.record import Value
from unseen.core.study import Headline

Given = tuple[tuple[Effect, Region], ...]
Where = dict[str, Want]
NONCE: Where = {"setting": "Probed", "words": "nonce", "counts": "pile", "of": "one", "score": "sum"}
SEEN: Where = {"setting": "Probed", "words": "seen", "counts": "pile", "of": "one", "score": "sum"}
OVER = (
    "prompts",
    "model",
    "dtype",
    "each",
    "how",
    "millions",
    "data",
    "band",
)  # several prompts are averaged, as in the paper
SURELY = (
    0.94  # 50 words of each ending, all right, have their lower limit at 0.9498: an edge of 0.95 could not be reached
)
VARIABLE, REGULAR = {"kind": "variable"}, {"kind": "regular"}
# The precondition of all claims about a model on new words: of seen ones it prefers the derivative that was met more.
KNOWS: Given = (off_floor("expected", 0.5, **SEEN),)
EVERY_WORD = ("ending", "kind")


def _speaker(learner: str, weighting: str = "type", **more: Want) -> Where:
    return {"setting": "Cognitive", "learner": learner, "weighting": weighting, "counts": "pile", **more}


def _agrees(first: str, second: str, where: Where) -> Linear:
    """How much more often a speaker chooses as the first of two others does than as the second."""
    return minus(level(f"as_{first}", **where), level(f"as_{second}", **where))


def _regular() -> tuple[Claim, ...]:
    told = "always, but for two words in -ish under one prompt"
    return (
        *(
            Claim(
                f"C1{letter}", f"The {name} always predicts -ity after -able and -ness after -ish.",
                reported="always", source="paper", where="regular classes", unit="item",
                effect=level("regular", **_speaker(learner)), expect=above(SURELY), over=("data", *EVERY_WORD),
            )
            for letter, learner, name in (("a", "gcm", "exemplar model"), ("b", "mgl", "rule learner"))
        ),
        Claim(
            "C1c", "A language model's choices after -able and -ish are those of the exemplar model.",
            reported=told, source="paper", where="regular classes", unit="item",
            effect=level("as_gcm_type", **NONCE, **REGULAR), expect=above(SURELY), over=OVER, given=KNOWS,
        ),
        Claim(
            "C1d", "So these words cannot tell the two: it agrees with both learners alike, within 0.05.",
            reported=told, source="paper", where="regular classes", unit="item",
            effect=_agrees("gcm_type", "mgl_type", {**NONCE, **REGULAR}), expect=between(-0.05, 0.05), over=OVER, given=KNOWS,
        ),
    )  # fmt: skip


def _variable() -> Iterator[Claim]:
    yield Claim(
        "C2a", "After -ive and -ous the two learners agree on fewer than seven words in ten.",
        reported="54%", source="paper", where="variable classes", unit="item",
        effect=level("as_gcm_type", **_speaker("mgl"), **VARIABLE), expect=below(0.7), over=("data",),
    )  # fmt: skip
    pairs = (
        ("C2b", "the rule learner of types", "mgl_type"),
        ("C2c", "the rule learner of tokens", "mgl_token"),
        ("C2d", "the exemplar model of types", "gcm_type"),
    )
    for id, name, other in pairs:
        yield Claim(
            id, f"There a language model agrees more with the exemplar model of tokens than with {name}.",
            reported="the exemplar model of tokens agrees best (numbers not recovered)", source="paper", unit="item",
            where="variable classes", effect=_agrees("gcm_token", other, {**NONCE, **VARIABLE}), expect=above(0), over=OVER,
            given=KNOWS,
        )  # fmt: skip

    for id, score, name in (
        ("C2e", "token", "averaged over tokens"),
        ("C2f", "pmi", "less what it is after no prompt"),
    ):
        yield Claim(
            id, f"It agrees more with the exemplar model of tokens than with the rule learner of types by log-probabilities {name}, too.",
            reported="not reported: -ity and -ness are written in unlike numbers of tokens", source="recalled", unit="item",
            effect=_agrees("gcm_token", "mgl_type", {**NONCE, **VARIABLE, "score": score}), expect=above(0), over=OVER,
            given=KNOWS,
        )  # fmt: skip


def _seen() -> Iterator[Claim]:
    yield Claim(
        "C3a", "Of adjectives that were met, a language model mostly prefers the derivative that was met more often.",
        reported="about 90%", source="recalled", where="seen adjectives", unit="item",
        effect=level("expected", **SEEN), expect=above(0.8), over=(*OVER, "group", "kind"),
    )  # fmt: skip
    for letter, group in zip("bcde", ("regular ity", "regular ness", "variable ity", "variable ness"), strict=True):
        yield Claim(
            f"C3{letter}", f"It is surer of derivatives that were met often than of rare ones: {group}.",
            reported="surer of those met at least 100 times than of those met at most 10 times, in all groups", source="paper",
            where="seen adjectives", unit="item", effect=gap("margin", {"band": "high"}, {"band": "low"}, group=group, **SEEN),
            expect=above(0), over=OVER, given=KNOWS,
        )  # fmt: skip
    words = {"setting": "Probed", "words": "seen", "of": "one"}
    over = (*OVER, "neighbours", "log_count", "group", "kind")
    yield Claim(
        "C3f", "Within -ness after -ish, the regular group, it is the surer the more often the derivative was met.",
        reported="follows word frequencies even where a rule would do", source="paper", where="seen adjectives", unit="word",
        effect=rank("sureness", "log_count", group="regular ness", counts="pile", **words), expect=above(0),
        over=over, given=KNOWS,
    )  # fmt: skip
    yield Claim(
        "C3g", "Rare regular words feel their neighbourhood: the more of it takes -ity, the surer of -ability.",
        reported="neighbours matter for rare words", source="paper", where="seen adjectives", unit="word",
        effect=rank("sureness", "neighbours", group="regular ity", band="low", counts="pile", **words), expect=above(0),
        over=over, given=KNOWS,
    )  # fmt: skip
    yield Claim(
        "C3h", "Counts of another corpus show it too: within -ness after -ish, derivatives in wordfreq's list and not.",
        reported="not reported; counts of the Pile", source="paper", where="seen adjectives", unit="word",
        effect=rank("sureness", "log_count", group="regular ness", counts="wordfreq", **words), expect=above(0),
        over=over, given=KNOWS,
    )  # fmt: skip


def _people() -> Iterator[Claim]:
    yield Claim(
        "C4a", "After -ive and -ous the exemplar model of types chooses as most people do more often than that of tokens.",
        reported="people are matched best by the exemplar model of types", source="paper", where="comparison with people",
        unit="item", effect=gap("as_people", _speaker("gcm", "type"), _speaker("gcm", "token"), **VARIABLE), expect=above(0),
        over=("data",),
    )  # fmt: skip
    for id, weighting in (("C4b", "type"), ("C4c", "token")):
        yield Claim(
            id, f"It chooses so more often than the rule learner of {weighting}s, too.",
            reported="people are matched best by the exemplar model of types", source="paper", where="comparison with people",
            unit="item", effect=gap("as_people", _speaker("gcm", "type"), _speaker("mgl", weighting), **VARIABLE),
            expect=above(0), over=("data",),
        )  # fmt: skip
    yield Claim(
        "C4d", "The more of the similarity is to -ity in the exemplar model of types, the more people choose -ity.",
        reported="the files give ρ = 0.32 after -ive, 0.45 after -ous", source="code", where="survey_responses.json", unit="word",
        effect=rank("said_ity", "votes", **_speaker("gcm", "type"), **VARIABLE), expect=above(0), over=("data", "ending"),
    )  # fmt: skip


def _inverse() -> Iterator[Claim]:
    models = {**NONCE, **VARIABLE}
    rivals = (("C5a", "gcm", "type"), ("C5b", "gcm", "token"), ("C5c", "mgl", "type"), ("C5d", "mgl", "token"))
    for id, learner, weighting in rivals:
        name = "exemplar model" if learner == "gcm" else "rule learner"
        speaker = {**_speaker(learner, weighting), **VARIABLE}
        yield Claim(
            id, f"A language model chooses as most people do less often than the {name} of {weighting}s.",
            reported="GPT-J matches people least of all that were compared", source="paper", where="comparison with people",
            unit="item", effect=minus(level("as_people", **models), level("as_people", **speaker)), expect=below(0), over=OVER,
            given=KNOWS,
        )  # fmt: skip
    yield Claim(
        "C5e", "Larger models of one kind choose no more often as people do.",
        reported="GPT-4 matches people even less than GPT-J", source="paper", where="comparison with people", tiers=("paper",),
        unit="model", effect=rank("as_people", "millions", **{**NONCE, "of": "sizes"}, **VARIABLE), expect=below(0),
        over=("prompts", "dtype", "each", "how", "data", "ending"),
    )  # fmt: skip


def _taught(weighting: str, corpus: str = "counted", learner: str = "trained") -> Where:
    return {"setting": "Taught", "weighting": weighting, "corpus": corpus, "learner": learner}


OF_LINES = (
    "endings",
    "script",
    "written",
    "width",
    "layers",
    "heads",
    "steps",
    "batch",
    "lr",
    "spread",
    "made",
    "items",
    "data",
)
NEW: Where = {"shifted": True}


def _mastered(arm: Where) -> Given:
    """The precondition that an arm learned its lines: -ity after three in five of them is what needs no learning."""
    if arm["corpus"] == "ruled":
        return ((level("right", shifted=False, **arm), above(0.9)),)
    return (off_floor("right", 0.65, **arm),)


def _known_cause() -> Iterator[Claim]:
    told = "not reported: a language model of which the cause is known"
    named = (
        ("T1", "uniform", "gcm_type", "gcm_token", "Decoders that met every pair alike agree more with the exemplar model of types than with that of tokens."),
        ("T2", "raw", "gcm_token", "gcm_type", "Those that met every pair as often as it was counted agree more with that of tokens."),
        ("T3a", "uniform", "gcm_type", "mgl_type", "Decoders that met every pair alike agree more with the exemplar model than with the rule learner (types)."),
        ("T3b", "log", "gcm_token", "mgl_token", "Those that met pairs by the logarithm of their counts do so too (tokens)."),
    )  # fmt: skip
    for id, weighting, first, second, says in named:
        arm = _taught(weighting)
        yield Claim(
            id, says, reported=told, source="recalled", effect=_agrees(first, second, {**arm, **NEW}), expect=above(0),
            over=(*OF_LINES, *EVERY_WORD), given=_mastered(arm),
        )  # fmt: skip
    for id, group in (("T4a", "variable ity"), ("T4b", "variable ness")):
        arm = _taught("raw")
        yield Claim(
            id, f"Decoders that met every pair as often as it was counted are surer of pairs met often: {group}.",
            reported=told, source="recalled", expect=above(0), over=OF_LINES, given=_mastered(arm),
            effect=gap("margin", {"band": "high"}, {"band": "low"}, group=group, **arm),
        )  # fmt: skip


def _controls() -> Iterator[Claim]:
    ruled, idle, turned = (
        _taught("uniform", "ruled"),
        _taught("uniform", learner="untrained"),
        _taught("uniform", learner="shuffled"),
    )
    over = (*OF_LINES, *EVERY_WORD)
    made: tuple[tuple[str, str, Linear, Region, str, tuple[str, ...], Given], ...] = (
        ("K1", "Where a rule says every suffix, decoders agree more with the rule learner than with the exemplar model: the comparison finds rules where there are rules.",
         _agrees("mgl_type", "gcm_type", {**ruled, **NEW}), above(0), "seed", over, _mastered(ruled)),
        ("K2", "A coin agrees with the exemplar model of tokens in half of all words.",
         level("as_gcm_token", **_speaker("coin")), between(0.4, 0.6), "seed", ("data", *EVERY_WORD), ()),
        ("K3", "A coin agrees with neither learner more than with the other.",
         _agrees("gcm_token", "mgl_token", _speaker("coin", **VARIABLE)), between(-0.2, 0.2), "seed", ("data", *EVERY_WORD), ()),
        ("K4", "Untrained decoders prefer what was met more often as a coin would.",
         level("right", shifted=False, **idle), between(0.2, 0.8), "seed", over, ()),
        ("K5", "Trained on each other's suffixes, decoders are right no more often than the commoner suffix is.",
         level("right", shifted=False, **turned), below(0.75), "seed", over, ()),
        ("K6", "The exemplar model of types agrees with itself, as does everyone: what is compared is what is meant.",
         level("as_gcm_type", **_speaker("gcm")), above(0.95), "item", ("data", *EVERY_WORD), ()),
    )  # fmt: skip
    for id, says, effect, expect, unit, pooled, given in made:
        yield Claim(
            id, says, reported="not reported: a control", source="recalled", effect=effect, expect=expect, unit=unit,
            over=pooled, given=given, kind="control",
        )  # fmt: skip


CLAIMS: tuple[Claim, ...] = (
    *_regular(), *_variable(), *_seen(), *_people(), *_inverse(), *_known_cause(), *_controls(),
)  # fmt: skip
WHERE: dict[str, Value] = {"counts": "pile", "of": "one", "score": "sum"}
HEADLINES = (Headline("novelty", "expected", 0.5, WHERE),)
