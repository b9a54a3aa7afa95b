"""Plans: pure, in a fixed order, and named by what they would measure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest

from unseen.core.errors import Invalid, Unknown
from unseen.core.plan import Trial, parse_sweep, parse_value, plan, plan_hash
from unseen.core.study import Model, Needs, Paper, Study


@dataclass(frozen=True, slots=True)
class Small:
    width: int
    kind: Literal["a", "b"] = "a"
    rate: float = 0.5
    lengths: tuple[int, ...] = (1, 2)
    limit: int | None = None
    hinted: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    model: Model
    shots: int = 2


def study(block: int = 1, version: int = 1) -> Study:
    return Study(
        paper=Paper("A Small Study", None, 2020),
        axes=("length",),
        settings=lambda tier: [Small(8), Small(8, "b"), Asked(Model("tiny:decoder"))],
        seeds={"smoke": 2, "laptop": 5, "paper": 7},
        needs=lambda s: Needs(minutes=1),
        evidence=lambda s: "twin",
        claims=(),
        block=block,
        version=version,
    )


def test_one_trial_a_setting_and_seed() -> None:
    trials = plan("small", study(), "smoke")
    assert [(type(t.setting).__name__, t.seeds) for t in trials] == [
        (k, (s,)) for k in ("Small", "Small", "Asked") for s in (0, 1)
    ]


def test_blocks_cover_every_seed_once() -> None:
    trials = plan("small", study(block=3), "paper")
    assert [t.seeds for t in trials[:3]] == [(0, 1, 2), (3, 4, 5), (6,)]


def test_key_is_hand_worked() -> None:
    """The key is sha256 of canonical JSON, here written out by hand."""
    import hashlib

    text = (
        '{"class":"Asked","pins":{"m":"m@1"},"seeds":[0],"setting":{"model":"m","shots":2},"study":"small","version":1}'
    )
    trial = Trial("small", 1, Asked(Model("m")), (0,), Needs(1), {"m": "m@1"})
    assert trial.key == hashlib.sha256(text.encode()).hexdigest()[:16]


def test_key_ignores_needs_and_tier_and_nothing_else() -> None:
    trial = Trial("small", 1, Small(8), (0,), Needs(1))
    assert replace(trial, needs=Needs(9)).key == trial.key
    changed = [
        replace(trial, study="other"),
        replace(trial, version=2),
        replace(trial, setting=Small(9)),
        replace(trial, seeds=(1,)),
        replace(trial, pins={"m": "1"}),
        replace(trial, setting=Small(8, limit=0)),
    ]
    assert len({t.key for t in [trial, *changed]}) == len(changed) + 1


def test_sweep_takes_the_product_and_drops_what_lacks_the_field() -> None:
    swept = parse_sweep("small", study(), "smoke", {"width": "8,16", "kind": "a,b"})
    trials = plan("small", study(), "smoke", sweep=swept, seeds=1)
    assert [(t.setting.width, t.setting.kind) for t in trials] == [(8, "a"), (8, "b"), (16, "a"), (16, "b")]


def test_model_replaces_and_drops() -> None:
    trials = plan("small", study(), "smoke", model="smollm2", seeds=1)
    assert [t.setting for t in trials] == [Asked(Model("smollm2"))]


def test_plan_hash_ignores_order_and_pins() -> None:
    trials = plan("small", study(), "smoke")
    assert plan_hash(trials) == plan_hash([replace(t, pins={"a": "b"}) for t in reversed(trials)])
    assert plan_hash(trials) != plan_hash(trials[:-1])


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("3", int, 3),
        ("0.5", float, 0.5),
        ("1e-3", float, 1e-3),
        ("true", bool, True),
        ("5:6:7", tuple[int, ...], (5, 6, 7)),
        ("", tuple[int, ...], ()),
        ("none", int | None, None),
        ("4", int | None, 4),
        ("b", Literal["a", "b"], "b"),
        ("smollm2", Model, "smollm2"),
    ],
)
def test_words_become_typed_values(text: str, hint: object, value: object) -> None:
    found = parse_value(text, hint, "field")
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("width", "wide", "width takes a whole number"),
        ("width", "1.5", "a whole number"),
        ("kind", "c", "one of a, b"),
        ("rate", "nan", "a number"),
        ("lengths", "5:x", "joined by ':'"),
        ("hinted", "perhaps", "true or false"),
        ("limit", "x", "a whole number or none"),
    ],
)
def test_a_wrong_word_says_what_is_taken(name: str, text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        parse_sweep("small", study(), "smoke", {name: text})
    assert "width, kind, rate" in str(caught.value)


def test_an_unknown_field_names_the_nearest() -> None:
    with pytest.raises(Unknown, match="the nearest are width"):
        parse_sweep("small", study(), "smoke", {"widht": "3"})


def test_no_seeds_is_an_error() -> None:
    with pytest.raises(Invalid, match="from 1 to 100,000 seeds"):
        plan("small", study(), "smoke", seeds=0)


def test_a_model_where_none_is_taken() -> None:
    only = replace(study(), settings=lambda tier: [Small(8)])
    with pytest.raises(Invalid, match="takes no model"):
        plan("small", only, "smoke", model="smollm2")


def test_fields_of_different_classes_cannot_be_swept_together() -> None:
    with pytest.raises(Invalid, match="separate runs"):
        plan("small", study(), "smoke", sweep={"width": (1,), "shots": (1,)})


def test_values_that_make_no_sense_to_the_study_are_a_mistake() -> None:
    @dataclass(frozen=True)
    class Checked:
        width: int = 1

        def __post_init__(self) -> None:
            if self.width < 0:
                raise ValueError("width is at least 0")

    strict = replace(study(), settings=lambda tier: [Checked()], needs=lambda s: Needs(minutes=1 / s.width))
    with pytest.raises(Invalid, match=r"--set width=-1: small has no such setting \(width is at least 0\)"):
        plan("small", strict, "smoke", sweep={"width": (-1,)})
    with pytest.raises(Invalid, match=r"small cannot measure .*ZeroDivisionError.*Choose other values"):
        plan("small", strict, "smoke", sweep={"width": (0,)})
    with pytest.raises(Unknown, match="has a field 'heigth'"):
        plan("small", strict, "smoke", sweep={"heigth": (0,)})


def test_equal_settings_are_measured_once_and_unequal_types_are_not_equal() -> None:
    one = replace(study(), settings=lambda tier: [Small(8), Small(8), Small(8, limit=1), Small(8, limit=True)])
    assert [t.setting.limit for t in plan("small", one, "smoke", seeds=1)] == [None, 1, True]


@pytest.mark.parametrize(
    ("hint", "says"),
    [
        (Model, "a model"),
        (tuple[int, ...], "joined by ':', each a whole number"),
        (str, "text"),
        (int | None, "a whole number or none"),
        (complex, "complex"),
    ],
)
def test_types_are_said_in_words(hint: object, says: str) -> None:
    from unseen.core.plan import _takes

    assert says in _takes(hint)


def test_a_union_takes_the_first_type_that_fits() -> None:
    assert parse_value("none", Literal["a"] | None, "f") is None and parse_value("2.5", int | float, "f") == 2.5
    with pytest.raises(Invalid, match="one of a or none"):
        parse_value("b", Literal["a"] | None, "f")
