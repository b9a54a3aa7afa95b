"""Plans under random settings and words."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from hypothesis import given
from hypothesis import strategies as st

from unseen.core.errors import Mistake
from unseen.core.plan import Trial, parse_sweep, plan, plan_hash
from unseen.core.study import Needs, Paper, Study

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**60), 2**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)


@dataclass(frozen=True)
class Setting:
    first: object
    second: object = None


settings = st.builds(Setting, values, values)


def study(found: list[Setting], block: int) -> Study:
    return Study(
        Paper("T", None, 2020),
        ("length",),
        lambda tier: found,
        {"smoke": 3, "laptop": 5, "paper": 5},
        lambda s: Needs(1),
        lambda s: "twin",
        (),
        block=block,
    )


def exactly(value: object) -> str:
    """A value and the types within it: 1, 1.0 and True differ."""
    return f"{type(value).__name__}:{[exactly(v) for v in value] if isinstance(value, tuple) else value!r}"


@given(settings, settings)
def test_keys_are_equal_only_where_all_values_are(a: Setting, b: Setting) -> None:
    one, two = (Trial("s", 1, s, (0,), Needs(1)) for s in (a, b))
    same = all(exactly(getattr(a, f.name)) == exactly(getattr(b, f.name)) for f in fields(a))
    assert (one.key == two.key) == same


@given(
    st.lists(settings, min_size=1, max_size=5, unique_by=lambda s: Trial("s", 1, s, (0,), Needs(1)).key),
    st.integers(1, 4),
    st.randoms(),
)
def test_plans_are_deterministic_and_order_free(found: list[Setting], block: int, shuffle: object) -> None:
    trials = plan("s", study(found, block), "laptop")
    mixed = list(found)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    again = plan("s", study(mixed, block), "laptop")
    assert {t.key for t in trials} == {t.key for t in again} and plan_hash(trials) == plan_hash(again)
    assert (
        sorted(
            s
            for t in trials
            if t.setting == found[0] and exactly(t.setting.first) == exactly(found[0].first)
            for s in t.seeds
        )[:5]
        == [0, 1, 2, 3, 4][:5]
    )


@dataclass(frozen=True)
class Typed:
    width: int = 1
    rate: float = 0.1
    hinted: bool = False
    lengths: tuple[int, ...] = ()


@given(
    st.dictionaries(
        st.sampled_from(["width", "rate", "hinted", "lengths", "nothing", ""]), st.text(max_size=12), max_size=3
    )
)
def test_any_words_parse_or_are_a_mistake(words: dict[str, str]) -> None:
    one = replace(study([], 1), settings=lambda tier: [Typed()])
    try:
        swept = parse_sweep("s", one, "smoke", words)
        for trial in plan("s", one, "smoke", sweep=swept):
            assert len(trial.key) == 16
    except Mistake as error:
        assert str(error)
