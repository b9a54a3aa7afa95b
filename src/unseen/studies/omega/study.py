"""After training on simple problems, does a model scale their strategy, join two, or drop one for a better?

Answer: it scales what it learned to somewhat harder problems, joins strategies seldom, and hardly ever leaves one.
"""

from __future__ import annotations

from dataclasses import replace

from unseen.core.study import Evidence, Model, Needs, Paper, Study, Tier

from .arms import HUB, SMOLLM2, UNTRAINED, Axis, Control, Judged, Learned, Setting, Tuned
from .claims import CLAIMS, HEADLINES, MARKS

# The names stand here, too, so that planning imports no generator; a test holds them to the catalogue.
ALGEBRA = ("linear_equation", "polynomial_roots", "mixed_arithmetic", "list_prime_factors", "gcd")
MATRICES = tuple(f"matrix_{n}" for n in ("determinant", "inverse", "eigenvalues", "rank", "svd", "power", "multiplication"))  # fmt: skip
FUNCTIONS = ("area", "intersection", "intersection_coords", "extrema", "extrema_coords", "zeros", "derivative_sign")
COUNTING = ("distribution", "pattern_matching", *(f"probability_{n}" for n in ("no_fixed", "no_specific", "exactly", "at_least")))  # fmt: skip
GEOMETRY = ("basic", "circle", "polygon", "triangle", "polygon_chords", "rotation", "polygon_color")
LOGIC = ("blocked_grid", "grid_rook", "grid_knight", "grid_chip", "zebralogic")
NUMBERS = ("prime_mod", "triple_count", "digit_sum")
TEMPLATES = (*ALGEBRA, *FUNCTIONS, *MATRICES, *COUNTING, *GEOMETRY, *LOGIC, *NUMBERS)
COMPOSED = ("polynomial_gcd", "n_gon", "circles_algebra", "parametric_intersection", "matrix_rank_letters", "vertex_color", "grid_chips")  # fmt: skip
TRANSFORMED = tuple(f"trans_{n}" for n in ("matrix_rank", "func_intersection", "de_moivre", "prob_letter", "integrations", "gridworld", "circles"))  # fmt: skip
TWINS = ("twin_rotation", "twin_pattern")
ALONG: dict[Axis, tuple[str, ...]] = {"complexity": TEMPLATES, "composition": COMPOSED, "transformation": TRANSFORMED}
CHEAP = ("gcd", "matrix_rank", "distribution", "probability_no_specific")
EVERY = (*TEMPLATES, *COMPOSED, *TRANSFORMED, *TWINS, "twin_n_gon")


def settings(tier: Tier) -> list[Setting]:
    """Language models by level and axis, small decoders, controls, and at the paper tier GRPO."""
    return {"smoke": _smoke, "laptop": _laptop, "paper": _paper}[tier]()


def _smoke() -> list[Setting]:
    few: dict[Axis, tuple[str, ...]] = {"complexity": CHEAP[:2], "composition": ("vertex_color",), "transformation": ("trans_matrix_rank", "trans_prob_letter")}  # fmt: skip
    asked = [Judged(UNTRAINED, axis, names, limit=2, max_new_tokens=8) for axis, names in few.items()]
    controls = [Control(who, ("gcd", "polynomial_roots", "mixed_arithmetic", "pattern_matching", "twin_rotation"), 4) for who in ("oracle", "guesser")]  # fmt: skip
    return [*asked, *controls, *(rehearse(s) for s in _decoders(Learned(())))]


def _laptop() -> list[Setting]:
    first = Judged(SMOLLM2, "complexity", SHORT, num_fewshot=2, dtype="bfloat16", max_new_tokens=12)
    asked = [
        first,
        replace(first, along="composition", families=COMPOSED[3:]),
        replace(first, along="transformation", families=("trans_matrix_rank", "trans_prob_letter", "trans_gridworld")),
    ]
    controls = [Control(who, EVERY, 6) for who in ("oracle", "guesser")]
    return [*asked, *controls, *_decoders(Learned(()))]


def _decoders(made: Learned) -> list[Setting]:
    """Decoders on the twin of composition, on a template that they learn, and what changes one thing about the twin."""
    twin = replace(made, families=TWINS, also="twin_n_gon")
    return [
        twin,
        replace(
            made,
            families=("probability_no_specific",),
            also="trans_prob_letter",
            steps=made.steps * 5 // 2,
            lr=made.lr * 1.5,
        ),
        replace(twin, learner="untrained"),
        replace(twin, learner="shuffled"),
    ]


def _paper() -> list[Setting]:
    asked = [Judged(model, axis, names, limit=20, apply_chat_template=True, dtype="bfloat16", max_new_tokens=16_384) for model in HUB for axis, names in ALONG.items()]  # fmt: skip
    tuned = [Tuned(HUB[0], name) for name in (*TEMPLATES, *COMPOSED, *TRANSFORMED)]
    controls = [Control(who, EVERY, 20) for who in ("oracle", "guesser")]
    large = Learned((), problems=50_000, width=256, layers=4, heads=8, steps=20_000, batch=256, lr=5e-4, spread=2.0, items=500)  # fmt: skip
    return [*asked, *tuned, *controls, *_decoders(large)]


# What smollm2 is asked on a laptop: templates whose questions are short, some of every domain.
SHORT = ("gcd", "list_prime_factors", "mixed_arithmetic", "matrix_rank", "distribution", "pattern_matching", "probability_no_specific", "probability_exactly", "prime_mod", "triple_count", "digit_sum", "grid_rook")  # fmt: skip


def needs(setting: Setting) -> Needs:
    """What one trial of five seeds asks of a machine."""
    if isinstance(setting, Control):
        return Needs(minutes=0.2 + 0.02 * setting.limit * len(setting.families) / 6)
    if isinstance(setting, Tuned):
        return Needs(minutes=5 * 0.4 * setting.steps, cpus=8, gpus=1, memory_gb=96, extras=("hub", "data", "rl"))
    if isinstance(setting, Judged):
        return _needs_judged(setting)
    if setting.learner == "untrained":
        return Needs(minutes=0.3, extras=("torch",))
    tokens = 5.0 * setting.steps * setting.batch * 20
    cost = setting.layers / 2 * (setting.width / 64) ** (1 if setting.width <= 64 else 1.6)
    drawn = 5 * setting.problems / 1_500 / 60
    minutes = 0.3 + drawn + tokens * cost / 25_000 / 60
    if setting.width > 128:
        return Needs(minutes=drawn + minutes / 50, gpus=1, memory_gb=16, extras=("torch",))
    return Needs(minutes=minutes, extras=("torch",))


def _needs_judged(setting: Judged) -> Needs:
    asked = 5 * setting.limit * len(setting.families) * setting.most_level
    if setting.model == UNTRAINED:
        return Needs(minutes=0.1, extras=("torch",))
    if setting.model == SMOLLM2:
        return Needs(minutes=0.3 + asked / 150, memory_gb=3, extras=("hub",))
    return Needs(minutes=2 + asked * setting.max_new_tokens / 2_000 / 60, cpus=4, gpus=1, memory_gb=48, extras=("hub",))


def evidence(setting: Setting) -> Evidence:
    """Twins at every tier: our own generators by the released levels; the released problems are on the hub only."""
    return "twin"


def rehearse(setting: Setting) -> Setting:
    """A paper setting with only its sizes lowered."""
    if isinstance(setting, Judged):
        return replace(setting, model=Model("tiny:qwen2"), families=setting.families[:4], limit=2, most_level=3, apply_chat_template=False, dtype="float32", max_new_tokens=8)  # fmt: skip
    if isinstance(setting, Tuned):
        return replace(setting, checkpoint="tiny:qwen2", problems=32, items=2, steps=6, batch=4, at_once=4, group=4, max_new_tokens=8, apply_chat_template=False, dtype="float32")  # fmt: skip
    if isinstance(setting, Control):
        return replace(setting, families=setting.families[:6], limit=2)
    return replace(setting, problems=200, width=16, layers=1, heads=2, steps=20, batch=8, warmup=5, items=20)


STUDY = Study(
    paper=Paper(
        "OMEGA: Can LLMs Reason Outside the Box in Math? Evaluating Exploratory, Compositional, and Transformative Generalization",
        "2506.18880",
        2025,
        "https://github.com/sunblaze-ucb/math_ood",
    ),
    axes=("complexity", "composition", "transformation"),
    settings=settings,
    seeds={"smoke": 1, "laptop": 5, "paper": 5},
    needs=needs,
    evidence=evidence,
    claims=CLAIMS,
    headlines=HEADLINES,
    marks=MARKS,
    rehearse=rehearse,
    block=5,
)
