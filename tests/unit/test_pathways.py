"""Pathways: strings worked by hand, distances by plain dynamic programming, curves, correlations and kernels by other means."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.core.errors import Invalid
from unseen.measures import pathways

WAYS = st.lists(st.lists(st.integers(0, 20), min_size=1, max_size=4), min_size=1, max_size=4)


def written(way: list[list[int]]) -> str:
    return "-".join(",".join(map(str, part)) for part in way)


def plain(a: list[object] | str, b: list[object] | str) -> int:
    """Levenshtein's distance by the textbook's table."""
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    table[:, 0], table[0] = range(len(a) + 1), range(len(b) + 1)
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (x != y))
    return int(table[-1, -1])


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(shape[-1], 0.5), shape[:-1])


def test_a_pathway_worked_by_hand() -> None:
    weights = [[0.1, 0.6, 0.3, 0.0], [0.8, 0.1, 0.05, 0.05], [0.25, 0.25, 0.25, 0.25]]
    assert pathways.pathway(weights) == "1,2-0-0,1,2"
    assert pathways.pathway(weights, threshold=0.5) == "1-0-0,1,2"  # more than the threshold, not as much
    assert pathways.pathway(weights, threshold=0.92) == "1,2,0-0,1,2-0,1,2,3"
    assert pathways.pathway([[0.2, 0.1]]) == "0,1"  # shares that add up to less: all experts
    assert pathways.layers(["1,2-0", "3-4,5"]) == [["1,2", "3"], ["0", "4,5"]]


@given(a=WAYS, b=WAYS)
@settings(max_examples=150, deadline=None)
def test_distances_are_those_of_dynamic_programming(a: list[list[int]], b: list[list[int]]) -> None:
    x, y = written(a), written(b)
    assert pathways.distance(x, y) == plain(x, y)
    lists = [[t for part in way for t in (*part, "-")][:-1] for way in (a, b)]
    assert pathways.distance(x, y, unit="expert") == plain(*lists)
    assert pathways.distance(x, y, normalized=True) == pytest.approx(plain(x, y) / max(len(x), len(y)))
    assert pathways.distance(x, x) == 0 and pathways.distance(x, y) == pathways.distance(y, x)


def test_tables_of_distances_are_those_of_the_pairs() -> None:
    ways = pathways.pathways(drawn(12, 3, 16))
    others = pathways.pathways(drawn(5, 3, 16, seed=1))
    for unit in ("string", "expert"):
        own, across = pathways.distances(ways, unit=unit), pathways.distances(ways, others, unit)
        assert own.shape == (12, 12) and across.shape == (12, 5)
        assert all(own[i, j] == pathways.distance(ways[i], ways[j], unit) for i in range(12) for j in range(12))
        assert across[3, 4] == pathways.distance(ways[3], others[4], unit)
    assert pathways.distances([], ways).shape == (0, 12)
    with pytest.raises(Invalid, match="'string' or 'expert'"):
        pathways.distance("1", "2", unit="letters")  # type: ignore[arg-type]
    with pytest.raises(Invalid, match="written as experts' numbers"):
        pathways.distance("1,a", "2", unit="expert")


def test_the_same_routing_is_at_no_distance_and_an_exchanged_one_is() -> None:
    weights = drawn(1, 4, 8)[0]
    assert pathways.distance(pathways.pathway(weights), pathways.pathway(weights)) == 0
    assert pathways.distance(pathways.pathway(weights), pathways.pathway(np.roll(weights, 1, 1))) > 0


def test_mean_distances_and_their_bootstrap_over_samples() -> None:
    table = pathways.distances(pathways.pathways(drawn(30, 4, 16)))
    found = pathways.mean_distance(table, draws=2000, rng=np.random.default_rng(1))
    pairs = table[np.triu_indices(30, 1)]
    assert found.value == pytest.approx(pairs.mean()) and found.n == 30 and found.low < found.value < found.high
    rng, means = np.random.default_rng(2), list[float]()
    for _ in range(2000):  # samples drawn and paired one by one, a sample never with its own copy
        at = rng.integers(0, 30, 30)
        inside = table[np.ix_(at, at)][at[:, None] != at[None]]
        means.append(inside.sum() / (30 * 30 - (np.bincount(at) ** 2).sum()))
    assert (found.low, found.high) == pytest.approx(np.quantile(means, [0.025, 0.975]), abs=0.15)
    naive = 1.96 * pairs.std() / np.sqrt(len(pairs))
    assert found.high - found.value > 1.5 * naive  # pairs share samples
    across = pathways.mean_distance(table[:10, 10:], draws=50)
    assert across.value == pytest.approx(table[:10, 10:].mean())
    with pytest.raises(Invalid, match="at least two samples"):
        pathways.mean_distance(np.zeros((1, 1)))


def test_draws_are_the_same_along_a_curve() -> None:
    table = pathways.distances(pathways.pathways(drawn(9, 2, 8)))
    found = pathways.resampled(np.stack([table, 2 * table, table + 1 - np.eye(9)]), 20, np.random.default_rng(0))
    assert (
        found.shape == (20, 3)
        and np.allclose(found[:, 1], 2 * found[:, 0])
        and np.allclose(found[:, 2], found[:, 0] + 1)
    )


def test_inconsistency_worked_by_hand_in_both_readings() -> None:
    routers = np.zeros((4, 2, 2))
    routers[:, 0], routers[:, 1] = (1, 0), (0, 1)
    same = np.tile([0.6, 0.4], (4, 1))
    assert pathways.inconsistency(same, routers) == pytest.approx(0, abs=1e-7)
    turned = np.array([[1, 0], [1, 0], [0.5, 0.5], [0.5, 0.5]])  # cosines 1, √½, 1
    wanted = 1 - (2 + 0.5**0.5) / 3
    assert pathways.inconsistency(turned, routers) == pytest.approx(wanted, abs=1e-7)
    assert pathways.consistency(turned, routers) == pytest.approx(1 - wanted, abs=1e-7)
    assert pathways.inconsistencies(np.stack([same, turned]), routers).shape == (2,)


def test_where_no_layers_are_alike_inconsistency_is_nan_and_said_so() -> None:
    routers = np.array([[[1.0, 0]], [[-1.0, 0]], [[0, 1.0]]])
    with pytest.warns(UserWarning, match="1 of 1 samples is not defined"):
        assert np.isnan(pathways.inconsistency(np.ones((3, 1)), routers))
    with pytest.raises(Invalid, match="at least two layers"):
        pathways.inconsistency(np.ones((1, 1)), np.ones((1, 1, 2)))


def test_entropy_is_scipys() -> None:
    from scipy.stats import entropy

    weights = drawn(6, 3, 8)
    weights[0, 0] = np.eye(8)[2]
    assert pathways.entropy(weights) == pytest.approx(entropy(weights, axis=-1).mean(-1))


@pytest.mark.parametrize("wrong", [np.ones(3), np.full((1, 2, 2), np.nan), -np.ones((1, 2, 2)), np.ones((0, 2, 2))])
def test_weights_that_are_none_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(Invalid, match="routing weights"):
        pathways.pathways(wrong)
    with pytest.raises(Invalid, match="share of the routing weight"):
        pathways.pathway([[0.5, 0.5]], threshold=1.0)


def test_since_when_samples_are_memorised() -> None:
    losses = np.array([[3, 0.4, 0.4, 9, 0.3], [2, 0.2, 0.9, 8, 0.3], [0.3, 0.2, 0.2, 7, 0.3], [0.3, 0.18, 0.2, 6, 0.9]])
    assert pathways.memorised(losses, loss=0.5).tolist() == [2, 1, 2, -1, -1]
    assert pathways.memorised(losses, loss=0.5, drift=1.0).tolist() == [2, 0, 2, -1, -1]


def test_the_loss_of_memorised_samples_gives_the_papers_share() -> None:
    rng = np.random.default_rng(0)
    final = rng.uniform(0, 3, 400)
    losses = np.stack([final + 2, final + 0.01, final])  # from the second checkpoint on within the drift
    found = pathways.memorised_loss(losses)
    share = (pathways.memorised(losses, loss=found) == 1).mean()
    assert 0.2 <= share <= 0.25 and found * 10 == pytest.approx(round(found * 10))


def test_since_when_items_are_answered() -> None:
    right = np.array(
        [
            [0, 1, 0, 1, 1, 0],
            [0, 1, 1, 1, 0, 0],
            [1, 1, 0, 1, 1, 0],
            [1, 1, 1, 1, 1, 0],
            [1, 1, 1, 1, 1, 1],
            [1, 0, 1, 1, 1, 0],
        ]
    )
    # fourth, one error in six is 0.83; third, one in five is 0.8 and not above it, so from the fourth checkpoint on
    assert pathways.generalised(right).tolist() == [2, 0, 3, 0, 0, -1]
    for column in right.T:  # the definition, word by word
        told = [t for t in range(6) if column[t] and column[t:].mean() > 0.8 and (1 - column[t:]).sum() <= 1]
        assert pathways.generalised(column[:, None])[0] == (told[0] if told else -1)


def test_groups_are_matched_to_those_most_like_them() -> None:
    train, groups = np.array([[1, 0, 0], [0, 1, 0], [0, 2, 0.1], [5, 5, 5]]), [3, 0, 0, -1]
    test, others = np.array([[0, 3, 0], [4, 0.5, 0], [0, 0, 1]]), [7, 2, 9]
    assert [(a, b) for a, b, _ in pathways.matched(train, groups, test, others)] == [(0, 7), (3, 2)]
    assert pathways.matched(train, [-1] * 4, test, others) == []


def test_accuracy_rises_from_the_last_low_checkpoint() -> None:
    assert pathways.rising([0.1, 0.1, 0.12, 0.11, 0.5, 0.8, 0.9, 0.9, 0.9]) == 3
    assert pathways.rising([0.1, 0.1, 0.1, 0.9]) == 0  # four checkpoints are left at least
    assert pathways.rising([0.5] * 6) == 0 or pathways.rising([0.5] * 6) <= 2


def test_correlations_are_scipys() -> None:
    from scipy.stats import linregress, pearsonr, spearmanr

    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 12))
    b = b + c
    assert pathways.correlation(a, b) == pytest.approx(pearsonr(a, b)[0])
    assert pathways.correlation(a, b, ranks=True) == pytest.approx(spearmanr(a, b)[0])
    rest = [v - (lambda f: f.slope * c + f.intercept)(linregress(c, v)) for v in (a, b)]
    assert pathways.correlation(a, b, given=c) == pytest.approx(pearsonr(*rest)[0])
    assert np.isnan(pathways.correlation(a, np.ones(12))) and np.isnan(pathways.correlation(3 * c + 1, b, given=c))
    steps = [1, 2, 8, 16]
    assert pathways.log_steps(steps).tolist() == [0, 1, 3, 4]
    assert pathways.slope(steps, [1.0, 3, 2, 7]) == pytest.approx(linregress([0, 1, 3, 4], [1.0, 3, 2, 7]).slope)


def test_effective_dimension_is_its_definition() -> None:
    x = np.random.default_rng(0).normal(size=(12, 5))
    h = x @ x.T
    wanted = np.trace(h @ np.linalg.inv(h + 0.3 * np.eye(12)))
    assert pathways.effective_dimension(h, 0.3) == pytest.approx(wanted)
    assert pathways.effective_dimension(h, 1e-9) == pytest.approx(5)
    with pytest.raises(Invalid, match="ridge above 0"):
        pathways.effective_dimension(h, 0)


def test_the_routing_kernel_is_that_of_jacobians() -> None:
    """A layer of linear experts with fixed shares: Θ is J Jᵀ, J by autograd."""
    torch.manual_seed(0)
    x, g = torch.randn(6, 4, dtype=torch.float64), torch.softmax(torch.randn(6, 3, dtype=torch.float64), -1)
    weights = torch.randn(3, 4, dtype=torch.float64)
    jacobian = torch.func.jacrev(lambda w: ((x @ w.T) * g).sum(1))(weights).flatten(1)
    kernels = np.tile((x @ x.T).numpy(), (3, 1, 1))
    assert pathways.routing_kernel(g.numpy(), kernels) == pytest.approx((jacobian @ jacobian.T).numpy())


def test_what_a_group_says_together() -> None:
    weights, routers = drawn(5, 3, 8), np.random.default_rng(0).normal(size=(3, 8, 6))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pathways.told(weights, routers)
    assert found["consistency"] == pytest.approx(1 - found["inconsistency"])
    assert found["distance"] == pytest.approx(
        pathways.mean_distance(pathways.distances(pathways.pathways(weights))).value
    )
