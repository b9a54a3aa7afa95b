"""A study says what it asks, and says at once where it is no study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from unseen.core.claim import Claim, above, level
from unseen.core.errors import Invalid
from unseen.core.study import Headline, Model, Needs, Paper, Study, model_field, takes_model, tier_of, values_of


@dataclass(frozen=True, slots=True)
class Asked:
    model: Model
    shots: object = 2


@dataclass(frozen=True, slots=True)
class Plain:
    model: str = "no model: its type says so"


def study(**told: Any) -> Study:
    return Study(
        **{
            "paper": Paper("A Small Study", "2310.16028", 2023),
            "axes": ("length",),
            "settings": lambda tier: [Asked(Model("m"))],
            "seeds": {"smoke": 1, "laptop": 5, "paper": 5},
            "needs": lambda s: Needs(1),
            "evidence": lambda s: "twin",
            "claims": (),
            **told,
        }
    )


CLAIM = Claim("C1", "says", reported="1", source="paper", effect=level("exact"), expect=above(0))


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"axes": ()}, "axes is empty"),
        ({"seeds": {"smoke": 1, "laptop": 5}}, "no seeds for paper"),
        ({"seeds": {"smoke": 0, "laptop": 5, "paper": 5}}, "no seeds for smoke"),
        ({"block": 0}, "whole numbers from 1"),
        ({"version": 0}, "whole numbers from 1"),
        ({"claims": (CLAIM, replace(CLAIM, says="other"))}, "C1 stands twice"),
        ({"headlines": (Headline("task", "exact", 0.0),)}, "name task, which Study.axes does not list"),
    ],
)
def test_what_is_no_study_says_why(told: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=says):
        study(**told)


def test_papers_and_needs_are_checked() -> None:
    with pytest.raises(Invalid, match="not an arXiv number"):
        Paper("T", "arXiv:2310.16028", 2023)
    for told in ({"minutes": 0}, {"minutes": 1, "cpus": 0}, {"minutes": 1, "memory_gb": -1}, {"minutes": float("nan")}):
        with pytest.raises(Invalid, match="must be above 0"):
            Needs(**told)
    with pytest.raises(Invalid, match="cannot be negative"):
        Needs(1, gpus=-1)


def test_a_field_of_the_type_model_takes_a_model() -> None:
    assert model_field(Asked) and not model_field(Plain)
    assert takes_model(study(), "smoke") and not takes_model(study(settings=lambda tier: [Plain()]), "smoke")


def test_tiers_have_names() -> None:
    assert tier_of("laptop") == "laptop"
    with pytest.raises(Invalid, match="the tiers are smoke, laptop, paper"):
        tier_of("desktop")


@pytest.mark.parametrize(
    "value", [[1], {"a": 1}, float("nan"), float("inf"), (1, [2]), 2**63, -(2**63) - 1, object(), b"x"]
)
def test_settings_hold_plain_values_only(value: object) -> None:
    with pytest.raises(Invalid, match=r"Asked.shots=.* is no plain value"):
        values_of(Asked(Model("m"), value))


def test_values_of_a_setting() -> None:
    assert values_of(Asked(Model("m"), (1, (2.5, None, "a", True)))) == {
        "model": "m",
        "shots": (1, (2.5, None, "a", True)),
    }
    for wrong in (3, Asked):
        with pytest.raises(Invalid, match="frozen dataclass instance"):
            values_of(wrong)
