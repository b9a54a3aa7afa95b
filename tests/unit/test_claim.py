"""Verdicts on hand-made records: what is supported, refuted, undecided, untested, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy import stats as oracle

from unseen.core.claim import (
    Claim,
    Effect,
    Region,
    above,
    at_matched,
    below,
    between,
    gap,
    judge,
    judge_study,
    level,
    measured,
    off_floor,
    rank,
    ratio,
    slope,
    steps_to,
)
from unseen.core.effect import Units
from unseen.core.errors import Invalid
from unseen.core.record import Item, Records, Row, Split
from unseen.core.study import Needs, Paper, Study

LONG, SHORT = Split("long", "length", {"digits": 7}, shifted=True), Split("short", "length", {"digits": 3})
HINTS, PLAIN = {"format": "hints"}, {"format": "plain"}


def claim(effect: Effect, expect: Region, **more: Any) -> Claim:
    return Claim("C1", "…", reported="", source="paper", effect=effect, expect=expect, **more)


def rows(
    values: list[float], split: Split = LONG, *, n: int = 500, own: bool = True, **setting: Any
) -> Iterator[tuple[Any, int, Row]]:
    """One row a seed, of `exact`."""
    for seed, value in enumerate(values):
        yield setting, seed, Row("exact", value, split, n=n, drawn=f"{setting}{split.name}{seed}" if own else "")


def items(scores: Any, split: Split = LONG, **setting: Any) -> Iterator[tuple[Any, int, Item]]:
    """Scores [seed item] of `exact` on shared items."""
    for seed, line in enumerate(scores):
        for i, value in enumerate(line):
            yield setting, seed, Item(f"i{i:04d}", split, "q", "a", "t", {"exact": float(value)})


def test_the_check_by_hand() -> None:
    told = [({"format": "hints", "width": 64}, seed, Row("exact", 0.9 + seed / 100, n=100)) for seed in range(5)]
    told += [({"format": "plain", "width": 64}, seed, Row("exact", 0.1 + seed / 100, n=100)) for seed in range(5)]
    verdict = judge(claim(gap("exact", HINTS, PLAIN), above(0.3)), Records.of(told), "laptop")
    assert verdict.status == "supported" and verdict.estimate == pytest.approx(0.8) and verdict.units == 5
    assert verdict.low < 0.8 < verdict.high and verdict.p < 0.001 and verdict.evidence == "twin"


@pytest.mark.parametrize(
    ("expect", "status"),
    [(above(0.5), "supported"), (above(0.95), "refuted"), (above(0.9), "undecided"), (below(0.5), "refuted"), (between(0.8, 0.95), "supported"), (between(0.0, 0.5), "refuted")],
)  # fmt: skip
def test_where_the_interval_lies(expect: Region, status: str) -> None:
    records = Records.of(rows([0.88, 0.90, 0.92, 0.89, 0.91]))
    verdict = judge(claim(level("exact"), expect), records, "laptop")
    assert verdict.status == status
    assert (verdict.p <= 0.05) == (status in ("supported", "refuted"))


@pytest.mark.parametrize("runs", [3, 5, 20])
def test_runs_that_are_all_right(runs: int) -> None:
    """The floor of all scores stands in for units that do not vary; its edge decides."""
    records = Records.of(rows([1.0] * runs))
    low = oracle.binomtest(500 * runs, 500 * runs).proportion_ci(0.95, "exact").low
    verdict = judge(claim(level("exact"), above(low - 1e-6)), records, "laptop")
    assert verdict.status == "supported" and (verdict.low, verdict.high) == pytest.approx((low, 1.0))
    assert judge(claim(level("exact"), above(low + 1e-6)), records, "laptop").status == "undecided"
    assert f"{runs} of {runs} runs; a kind of run rarer than" in verdict.why


def test_an_edge_at_an_end_never_binds() -> None:
    """Nothing below 0: `between(0, .05)` of a fraction is `below(.05)`."""
    records = Records.of(rows([0.0, 0.002, 0.0]))
    a, b = (judge(claim(level("exact"), r), records, "laptop") for r in (between(0.0, 0.05), below(0.05)))
    assert a.status == b.status == "supported" and a.p == b.p


@pytest.mark.parametrize(("expect", "why"), [(above(1.0), "cannot hold"), (below(0.0), "cannot hold"), (above(0.0), "always holds"), (between(-1, 2), "always holds")])  # fmt: skip
def test_a_region_that_says_nothing_of_a_fraction(expect: Region, why: str) -> None:
    verdict = judge(claim(level("exact"), expect), Records.of(rows([0.5, 0.6, 0.7])), "laptop")
    assert verdict.status == "untested" and why in verdict.why and "a fraction" in verdict.why


def test_regions_that_say_nothing_are_errors_where_the_effect_fixes_its_ends() -> None:
    with pytest.raises(Invalid, match="cannot hold"):
        claim(rank("exact", "digits"), above(1.0))
    with pytest.raises(Invalid, match="always holds"):
        claim(rank("exact", "digits"), between(-1, 1))
    with pytest.raises(Invalid, match="whole line"):
        claim(level("exact"), Region())
    with pytest.raises(Invalid, match="must not lie above"):
        between(1, 0)


def test_gaps_that_are_all_exactly_nothing_are_undecided() -> None:
    told = [*rows([0.5] * 5, format="hints"), *rows([0.5] * 5, format="plain")]
    verdict = judge(claim(gap("exact", HINTS, PLAIN), above(0.0)), Records.of(told), "laptop")
    assert verdict.status == "undecided" and verdict.low < 0 < verdict.high


def test_two_runs_are_too_few_and_one_number_is_no_interval() -> None:
    verdict = judge(claim(level("exact"), above(0.5)), Records.of(rows([0.9, 0.91])), "laptop")
    assert verdict.status == "undecided" and "2 seeds are too few; 3 are needed" in verdict.why
    told = oracle.binomtest(905, 1000).proportion_ci(0.95, "exact")
    assert (verdict.low, verdict.high) == pytest.approx((told.low, told.high)) and verdict.detectable is None
    single = judge(claim(level("loss"), above(0.5)), Records.of([({}, 0, Row("loss", 2.5))]), "laptop")
    assert single.status == "undecided" and np.isnan(single.low) and "1 seeds are too few" in single.why


def test_equal_values_without_counts_are_undecided() -> None:
    records = Records.of(({}, s, Row("loss", 1.234)) for s in range(3))
    verdict = judge(claim(level("loss"), above(1.0)), records, "laptop")
    assert verdict.status == "undecided" and verdict.why.startswith("all 3 seeds gave exactly 1.234")


def test_p_and_detectable_against_a_t_test() -> None:
    values = [2.1, 2.9, 3.4, 2.5]
    records = Records.of(({}, s, Row("loss", v)) for s, v in enumerate(values))
    verdict = judge(claim(level("loss"), above(2.0)), records, "laptop")
    assert verdict.p == pytest.approx(oracle.ttest_1samp(values, 2.0).pvalue, rel=1e-6)
    assert verdict.detectable == pytest.approx(1.5 * (verdict.high - verdict.low) / 2)


def test_a_narrow_region_says_that_it_can_hardly_be_supported() -> None:
    records = Records.of(({}, s, Row("loss", v)) for s, v in enumerate([1.0, 2.0, 3.0]))
    assert "can hardly be supported" in judge(claim(level("loss"), between(1.9, 2.1)), records, "laptop").why


@pytest.mark.parametrize("case", ["missing", "nan"])
def test_nothing_is_dropped(case: str) -> None:
    told = [*rows([0.9] * 5), *rows([0.8] * 5, Split("longer", shifted=True))]
    told = told[:-2] if case == "missing" else [*told[:-2], *((s, i, replace(r, value=float("nan"))) for s, i, r in told[-2:])]  # fmt: skip
    verdict = judge(claim(level("exact"), above(0.5)), Records.of(told), "laptop")
    assert verdict.status == "untested" and verdict.why.startswith("2 of 5 seeds have no value, because exact is")


def test_what_is_neither_named_nor_averaged_is_not_pooled() -> None:
    told = [*rows([0.9] * 3, format="hints", width=1), *rows([0.8] * 3, format="hints", width=2)]
    records = Records.of(told)
    verdict = judge(claim(level("exact"), above(0.5)), records, "laptop")
    assert verdict.status == "untested" and "rows differ in width (1, 2)" in verdict.why
    assert judge(claim(level("exact"), above(0.5), over=("width",)), records, "laptop").status == "supported"
    assert judge(claim(level("exact", width=2), above(0.5)), records, "laptop").status == "supported"
    layered = Records.of(({}, s, Row("exact", 0.9, LONG, n=500, at={"layer": i})) for s in range(3) for i in range(2))
    assert "rows differ in layer" in judge(claim(level("exact"), above(0.5)), layered, "laptop").why


def test_the_splits_own_coordinates_are_pooled() -> None:
    told = [*rows([0.9] * 3), *rows([0.7] * 3, Split("longer", "length", {"digits": 9}, shifted=True))]
    verdict = judge(claim(level("exact", shifted=True), above(0.5)), Records.of(told), "laptop")
    assert verdict.status == "supported" and verdict.estimate == pytest.approx(0.8)


def test_unknown_names_make_a_claim_untested() -> None:
    records = Records.of(rows([0.9] * 3, format="hints"))
    assert "formt" in judge(claim(level("exact", formt="hints"), above(0.5)), records, "laptop").why
    verdict = judge(claim(level("accuracy"), above(0.5)), records, "laptop")
    assert verdict.status == "untested" and "no row of accuracy" in verdict.why
    assert (
        judge(claim(level("exact"), above(0.5), tiers=("paper",)), records, "laptop").why
        == "this claim is judged at tier paper."
    )


def test_evidence_is_the_weakest_that_was_used() -> None:
    parts = [Records.of(rows([0.9] * 3, format=f), evidence=e) for f, e in (("hints", "paper scale"), ("plain", "released data"), ("other", "twin"))]  # fmt: skip
    records = Records.concat(parts)
    assert judge(claim(level("exact", **HINTS), above(0.5)), records, "laptop").evidence == "paper scale"
    assert judge(claim(gap("exact", HINTS, PLAIN), above(0.5)), records, "laptop").evidence == "released data"
    given = claim(level("exact", **HINTS), above(0.5), given=((level("exact", format="other"), above(0.5)),))
    assert judge(given, records, "laptop").evidence == "twin"


def test_preconditions_count_item_noise_and_name_the_lowest_run() -> None:
    told = [*rows([0.9] * 5, format="hints"), *rows([0.3, 0.98, 0.98, 0.98, 0.98], SHORT, format="hints")]
    c = claim(level("exact", shifted=True), above(0.5), given=(off_floor("exact", 0.0),))
    verdict = judge(c, Records.of(told), "laptop")
    n = 5 * 500
    told_low = oracle.binomtest(round(0.844 * n), n).proportion_ci(0.95, "exact").low
    assert verdict.status == "supported"
    assert f"is 0.844 [{told_low:.3g}, " in verdict.why and "lowest run 0.3, to be above 0.1" in verdict.why
    failing = judge(replace(c, given=(off_floor("exact", 0.9),)), Records.of(told), "laptop")
    assert failing.status == "untested" and failing.why.startswith(
        "precondition not met: mean exact on reference splits is 0.844"
    )


def test_preconditions_of_values_without_items_go_by_the_estimate() -> None:
    told = [*rows([0.9] * 3), *(({}, s, Row("loss", v, LONG)) for s, v in enumerate((0.9, 1.9, 1.7)))]
    records = Records.of(told)
    for edge, status in ((1.4, "supported"), (1.6, "untested")):
        c = claim(level("exact"), above(0.5), given=((level("loss"), above(edge)),))
        assert judge(c, records, "laptop").status == status
    ranked = claim(level("exact"), above(0.5), given=((rank("loss", "digits"), above(0.5)),))
    assert "4 values of digits are needed" in judge(ranked, records, "laptop").why


def test_items_as_units_need_items() -> None:
    plain = Records.of(({}, s, Row("loss", v)) for s, v in enumerate((0.9, 1.9, 1.7)))
    verdict = judge(claim(level("loss"), above(0.5), unit="item"), plain, "laptop")
    assert verdict.status == "untested" and "no items were kept" in verdict.why
    counted = judge(claim(level("exact"), above(0.5), unit="item"), Records.of(rows([0.8, 0.9], own=False)), "laptop")
    told = oracle.binomtest(425, 500).proportion_ci(0.95, "exact")
    assert counted.status == "supported" and (counted.low, counted.high) == pytest.approx((told.low, told.high))


def test_one_run_over_items_is_clopper_pearson() -> None:
    records = Records.of(items([[1] * 14 + [0] * 6]))
    verdict = judge(claim(level("exact"), above(0.4), unit="item"), records, "laptop")
    told = oracle.binomtest(14, 20).proportion_ci(0.95, "exact")
    assert verdict.units == 20 and (verdict.low, verdict.high) == pytest.approx((told.low, told.high))


@pytest.mark.parametrize(("won", "lost"), [(6, 0), (5, 0), (9, 1), (9, 2), (20, 8), (30, 14), (0, 6)])
def test_two_models_on_the_same_items_agree_with_mcnemar(won: int, lost: int) -> None:
    a = [0] * won + [1] * lost + [1] * 20
    b = [1] * won + [0] * lost + [1] * 20
    records = Records.of([*items([b], format="hints"), *items([a], format="plain")])
    verdict = judge(claim(gap("exact", HINTS, PLAIN), above(0.0), unit="item"), records, "laptop")
    p = oracle.binomtest(won, won + lost, 0.5).pvalue
    assert verdict.p >= p - 1e-12 and (verdict.status != "undecided") == (verdict.p <= 0.05)
    assert (verdict.low <= 0 <= verdict.high) == (verdict.status == "undecided")
    assert measured(gap("exact", HINTS, PLAIN), records).p == pytest.approx(verdict.p)


def test_paired_seeds_against_a_paired_t_test_and_unlike_seeds_against_welch() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 6) + 3, rng.normal(1, 1, 6) + 3
    paired = [({"format": f}, s, Row("loss", v)) for f, x in (("hints", a), ("plain", b)) for s, v in enumerate(x)]
    verdict = judge(claim(gap("loss", HINTS, PLAIN), below(0.0)), Records.of(paired), "laptop")
    assert verdict.p == pytest.approx(oracle.ttest_rel(a, b).pvalue, rel=1e-6)
    unlike = [({"format": f}, s + 10 * (f == "plain"), Row("loss", v)) for f, x in (("hints", a), ("plain", b[:4])) for s, v in enumerate(x)]  # fmt: skip
    verdict = judge(claim(gap("loss", HINTS, PLAIN), below(0.0)), Records.of(unlike), "laptop")
    assert verdict.p == pytest.approx(oracle.ttest_ind(a, b[:4], equal_var=False).pvalue, rel=1e-6)
    assert verdict.units == 4


def test_a_ratio_is_not_held_within_the_ends_of_its_fractions() -> None:
    told = [*rows([0.8, 0.82, 0.78, 0.81], format="hints"), *rows([0.4, 0.41, 0.39, 0.4], format="plain")]
    effect = ratio(level("exact", **HINTS), level("exact", **PLAIN))
    assert judge(claim(effect, below(1.2)), Records.of(told), "laptop").status == "refuted"
    assert judge(claim(effect, above(0.0)), Records.of(told), "laptop").status == "supported"
    nothing = [*rows([0.8] * 3, format="hints"), *rows([0.0] * 3, format="plain")]
    verdict = judge(claim(effect, above(2.0)), Records.of(nothing), "laptop")
    assert verdict.status == "undecided" and "cannot be told from 0" in verdict.why and verdict.detectable is None


def test_a_ratio_that_is_the_same_in_every_run_is_undecided() -> None:
    told = [({"format": f}, s, Row("loss", v * (s + 1))) for f, v in (("hints", 3.0), ("plain", 1.5)) for s in range(4)]
    effect = ratio(level("loss", **HINTS), level("loss", **PLAIN))
    same = [(setting, s, Row("loss", r.value / (s + 1))) for setting, s, r in told]
    for rows_ in (told, same):
        verdict = judge(claim(effect, above(1.0)), Records.of(rows_), "laptop")
        assert verdict.status == "undecided" and "all 4 seeds gave exactly 2" in verdict.why


def test_ratios_between_two_edges() -> None:
    told = [*rows([0.8, 0.82, 0.78, 0.81], format="hints"), *rows([0.4, 0.41, 0.39, 0.4], format="plain")]
    effect = ratio(level("exact", **HINTS), level("exact", **PLAIN))
    found = judge(claim(effect, between(1.5, 2.5)), Records.of(told), "laptop")
    assert found.status == "supported" and 1.5 < found.low < 2.0 < found.high < 2.5
    for region, status in ((between(1.0, 1.5), "refuted"), (between(2.5, 3.0), "refuted"), (between(found.low + 1e-6, 3.0), "undecided"), (between(found.low - 1e-6, 3.0), "supported")):  # fmt: skip
        assert judge(claim(effect, region), Records.of(told), "laptop").status == status


def test_ranks_of_ties_are_nothing_and_an_edge_at_minus_one_never_binds() -> None:
    splits = [Split(f"d{d}", "length", {"digits": d}, True) for d in range(4)]
    tied = Records.of(r for s in splits for r in rows([0.5] * 5, s))
    verdict = judge(claim(rank("exact", "digits"), below(0.0)), tied, "laptop")
    assert verdict.status == "undecided" and verdict.estimate == 0
    falling = Records.of(r for d, s in enumerate(splits) for r in rows([0.9 - d / 10] * 5, s))
    verdict = judge(claim(rank("exact", "digits"), between(-1.0, -0.2)), falling, "laptop")
    assert verdict.status == "supported" and verdict.low == -1


def test_slopes_and_coordinates_as_units() -> None:
    splits = [Split(f"d{d}", "length", {"digits": d}, True) for d in range(8)]
    values = [0.9, 0.84, 0.71, 0.62, 0.5, 0.37, 0.33, 0.2]
    records = Records.of(r for s, v in zip(splits, values, strict=True) for r in rows([v, v, v], s))
    told = judge(claim(slope("exact", "digits"), below(-0.05)), records, "laptop")
    assert told.estimate == pytest.approx(oracle.linregress(range(8), values).slope) and told.status == "supported"
    verdict = judge(claim(rank("exact", "digits"), below(0.0), unit="digits"), records, "laptop")
    assert verdict.units == 8 and verdict.estimate == -1 and verdict.status == "supported"
    mean = judge(claim(level("exact"), above(0.3), unit="digits"), records, "laptop")
    assert mean.units == 8 and mean.estimate == pytest.approx(np.mean(values))
    few = judge(claim(rank("exact", "digits"), below(0.0), unit="digits"), records.where(split=frozenset(f"d{d}" for d in range(7))), "laptop")  # fmt: skip
    assert few.status == "undecided" and "7 values of digits are too few; 8 are needed" in few.why


def curve(reach: int | None, **setting: Any) -> Iterator[tuple[Any, int, Row]]:
    for seed in range(5):
        for step in range(100, 1001, 100):
            yield (
                setting,
                seed,
                Row("exact", float(reach is not None and step >= reach + 100 * (seed % 2)), LONG, n=500, step=step),
            )


def test_times_of_every_run_censored() -> None:
    verdict = judge(claim(steps_to("exact", 0.5), above(800)), Records.of(curve(None)), "laptop")
    assert (verdict.low, verdict.high, verdict.estimate) == (1000, np.inf, np.inf) and verdict.status == "supported"
    assert judge(claim(steps_to("exact", 0.5), below(2000)), Records.of(curve(None)), "laptop").status == "undecided"


def test_times_and_their_ratio() -> None:
    records = Records.of([*curve(300, format="hints"), *curve(800, format="plain")])
    verdict = judge(claim(steps_to("exact", 0.5, **HINTS), below(450)), records, "laptop")
    assert (verdict.low, verdict.high, verdict.estimate) == (200, 400, 300) and verdict.status == "supported"
    assert verdict.p == 0.05  # five runs decide at exactly 5%
    told = judge(claim(steps_to("exact", 0.5, against=PLAIN, **HINTS), below(0.6)), records, "laptop")
    assert (told.low, told.high) == pytest.approx((200 / 800, 400 / 800)) and told.status == "supported"


def test_matched_losses_interpolate_each_run() -> None:
    told = [({"format": f}, s, Row(m, v, LONG, n=1000, step=step)) for f, lift in (("hints", 0.2), ("plain", 0.0)) for s in range(3)
            for step, loss, exact in ((0, 3.0, 0.1), (100, 2.0 - s / 10, 0.3 + lift), (200, 1.0, 0.5 + lift)) for m, v in (("loss", loss), ("exact", exact))]  # fmt: skip
    verdict = judge(claim(at_matched("exact", "loss", 1.5, **PLAIN), above(0.1)), Records.of(told), "laptop")
    expected = [0.3 + 0.2 * (0.5 - s / 10) / (1.0 - s / 10) for s in range(3)]
    assert verdict.estimate == pytest.approx(np.mean(expected))
    gap_ = judge(
        claim(at_matched("exact", "loss", 1.5, against=PLAIN, **HINTS), above(0.1)), Records.of(told), "laptop"
    )
    assert gap_.estimate == pytest.approx(0.2)
    never = judge(claim(at_matched("exact", "loss", 0.5, **PLAIN), above(0.1)), Records.of(told), "laptop")
    assert never.status == "untested" and never.why.startswith(
        "3 of 3 seeds have no value, because loss never passed 0.5"
    )


@dataclass(frozen=True)
class Largest:
    """A custom effect: the largest value of each seed."""

    measures: tuple[str, ...] = ("exact",)
    missing: str = ""

    def per_unit(self, records: Records, unit: str, over: tuple[str, ...] = ()) -> Units:
        parts = np.array([float(r.value.max()) for r in records.by("seed").values()])
        return Units("mean", (parts,), tuple(records.by("seed")), missing=self.missing)

    def __str__(self) -> str:
        return "largest exact"


def test_custom_effects() -> None:
    values = [0.7, 0.9, 0.8]
    records = Records.of(rows(values))
    verdict = judge(claim(Largest(), above(0.5)), records, "laptop")
    told = oracle.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (verdict.low, verdict.high) == pytest.approx((told.low, told.high))
    assert (
        judge(claim(Largest(missing="2 of 3 seeds have no value."), above(0.5)), records, "laptop").status == "untested"
    )
    assert judge(claim(Largest(), above(0.5), unit="item"), records, "laptop").status == "untested"


def study(*claims: Claim) -> Study:
    return Study(
        Paper("A title", None, 2024), ("length",), lambda tier: [], {"smoke": 1, "laptop": 3, "paper": 3},
        lambda s: Needs(1), lambda s: "twin", claims,
    )  # fmt: skip


def test_holm_over_the_findings_that_were_judged() -> None:
    records = Records.of(({}, s, Row(m, v)) for m, x in (("a", (2.0, 3, 4)), ("b", (2.0, 2.1, 2.2))) for s, v in enumerate(x))  # fmt: skip
    made = [
        Claim(f"C{i}", "…", reported="", source="paper", effect=level(m), expect=above(1.5), kind=k)
        for i, (m, k) in enumerate([("a", "finding"), ("b", "finding"), ("a", "control"), ("c", "finding")])
    ]
    found = judge_study(study(*made), records, "laptop")
    p = [v.p for v in found]
    assert [v.status for v in found] == ["undecided", "supported", "undecided", "untested"]
    assert [v.holm for v in found[:2]] == pytest.approx([max(p[0], 2 * p[1]), 2 * p[1]])
    assert np.isnan(found[2].holm) and np.isnan(found[3].holm)


def test_swept_fields_are_judged_once_for_each_combination() -> None:
    records = Records.of(r for w, x in ((1, 0.2), (2, 0.9)) for r in rows([x, x, x], width=w))
    found = judge_study(study(claim(level("exact"), above(0.5))), records, "laptop", swept=("width",))
    assert [v.status for v in found] == ["refuted", "supported"] and found[0].why.startswith("[width=1]")


def test_effects_measured_without_a_claim() -> None:
    records = Records.of(rows([0.8]))
    told = measured(level("exact"), records)
    assert told.units == 500 and told.low < told.estimate == 0.8 < told.high
    assert measured(level("nothing"), records).why and np.isnan(measured(level("nothing"), records).estimate)
    assert "too few" in measured(level("loss"), Records.of([({}, 0, Row("loss", 2.0))]), unit="seed").why


def test_a_verdict_shows_itself() -> None:
    verdict = judge(claim(level("exact"), above(0.5)), Records.of(rows([0.9, 0.91, 0.92])), "laptop")
    assert str(verdict).startswith("C1 supported: … 0.91 [") and "expected above 0.5" in str(verdict)
    assert "<b>C1</b> supported" in verdict._repr_html_()
    assert [str(r) for r in (above(1), below(2), between(1, 2))] == ["above 1", "below 2", "between 1 and 2"]


def test_an_exact_number_lies_where_it_lies() -> None:
    one = Records.of((setting, seed, replace(row, value=12.5)) for setting, seed, row in rows([0.0], n=1))
    told = judge(claim(level("exact"), above(12), unit="exact"), one, "laptop")
    assert (told.status, told.estimate, told.low, told.high, told.units) == ("supported", 12.5, 12.5, 12.5, 1)
    assert np.isnan(told.p) and "worked out" in told.why
    assert judge(claim(level("exact"), below(12), unit="exact"), one, "laptop").status == "refuted"
    many = Records.of(rows([0.25] * 5))
    assert judge(claim(level("exact"), between(0.2, 0.3), unit="exact"), many, "laptop").status == "supported"


def test_a_number_in_which_runs_differ_is_not_exact() -> None:
    told = judge(claim(level("exact"), above(0.1), unit="exact"), Records.of(rows([0.25, 0.26])), "laptop")
    assert told.status == "untested" and "runs differ in it (0.25 to 0.26)" in told.why


def test_an_exact_claim_keeps_its_preconditions_and_stays_out_of_holms_family() -> None:
    records = Records.of([*rows([0.6, 0.7, 0.65, 0.62, 0.66]), *rows([0.5] * 5, SHORT)])
    exact = claim(level("exact", split="short"), above(0.4), unit="exact")
    sampled = replace(claim(level("exact", split="long"), above(0.5)), id="C2")
    unmet = replace(exact, id="C3", given=((level("exact", split="short"), above(0.9)),))
    study = Study(
        Paper("T", None, 2024), ("length",), lambda tier: [], {"smoke": 1, "laptop": 5, "paper": 5},
        lambda s: Needs(1), lambda s: "twin", (exact, sampled, unmet),
    )  # fmt: skip
    first, second, third = judge_study(study, records, "laptop")
    assert first.status == "supported" and np.isnan(first.holm)
    assert second.holm == second.p
    assert third.status == "untested" and "precondition not met" in third.why
