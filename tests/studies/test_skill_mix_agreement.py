"""Do agreement statistics come out as other libraries and hand-worked tables have them?"""

import numpy as np
import pytest
from scipy.stats import kendalltau

from unseen.core.errors import Invalid
from unseen.studies.skill_composition.agreement import fleiss, informed, kappa, ordered, raw, tau


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a = rng.random(n) < 0.6
    return a, np.where(rng.random(n) < 0.3, ~a, a)


@pytest.mark.parametrize("seed", range(5))
def test_cohens_kappa_is_that_of_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    a, b = drawn(80, seed)
    assert kappa(a, b) == pytest.approx(metrics.cohen_kappa_score(a, b))
    assert raw(a, b) == pytest.approx(metrics.accuracy_score(a, b))
    assert informed(a, b) == pytest.approx(metrics.balanced_accuracy_score(a, b, adjusted=True))


def test_kappa_of_a_table_worked_by_hand() -> None:
    a = [1] * 20 + [1] * 5 + [0] * 10 + [0] * 15  # 20 both, 5 and 10 one alone, 15 neither: agreed .7, chance .5
    b = [1] * 20 + [0] * 5 + [1] * 10 + [0] * 15
    assert kappa(a, b) == pytest.approx(0.4)


def test_fleiss_kappa_of_a_table_worked_by_hand() -> None:
    # three gradings of four points, given 3, 2, 1 and 0 times: agreement (1 + 1/3 + 1/3 + 1) / 4 = 2/3, chance 1/2
    points = [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]]
    assert fleiss(points) == pytest.approx(1 / 3)


@pytest.mark.parametrize("seed", range(5))
def test_of_two_gradings_fleiss_kappa_is_scotts_pi(seed: int) -> None:
    a, b = drawn(60, seed)
    p = (a.mean() + b.mean()) / 2
    chance = p**2 + (1 - p) ** 2
    assert fleiss([a, b]) == pytest.approx((np.mean(a == b) - chance) / (1 - chance))


@pytest.mark.parametrize("seed", range(8))
def test_tau_is_scipys_with_and_without_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for levels in (3, 1_000):
        a, b = rng.integers(levels, size=7).tolist(), rng.integers(levels, size=7).tolist()
        expected = kendalltau(a, b).statistic
        assert tau(a, b) == pytest.approx(0.0 if np.isnan(expected) else expected)
        if levels > 3:
            assert ordered(a, b) == pytest.approx((tau(a, b) + 1) / 2)


def test_ends() -> None:
    assert kappa([1, 1], [1, 1]) == 1 and fleiss([[1, 1], [1, 1]]) == 1 and tau([1, 1], [1, 2]) == 0
    assert informed([1, 1], [1, 0]) == 0 and ordered([1, 1], [2, 2]) == 1 and ordered([1, 2], [2, 1]) == 0


def test_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(Invalid, match="same points"):
        kappa([1, 0], [1])
    with pytest.raises(Invalid, match="two gradings"):
        fleiss([[1, 0]])
    with pytest.raises(Invalid, match="two or more"):
        tau([1.0], [1.0])
