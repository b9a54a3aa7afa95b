"""What would a study judge in a world that is made up? Rows for every setting, as trials would yield them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from unseen.core.claim import Verdict, judge_study
from unseen.core.record import Records, Row
from unseen.core.study import Study, Tier, values_of


def judged_in(study: Study, tier: Tier, rows_of: Callable[[Any], Iterable[Row]]) -> dict[str, Verdict]:
    """Claim id -> verdict at a tier, where `rows_of` gives the rows of each of its settings."""
    told = [
        ({"setting": type(s).__name__, **values_of(s)}, row.seed or 0, row)
        for s in study.settings(tier)
        for row in rows_of(s)
    ]
    return {v.claim.id: v for v in judge_study(study, Records.of(told), tier)}
