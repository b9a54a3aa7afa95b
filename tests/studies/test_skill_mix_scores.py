"""Are points turned into scores as Skill-Mix does? Cases worked by hand, and a second writing of the rules, text by text."""

from itertools import product

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.studies.skill_composition.scores import best, majority, mean, most_sentences, scores


@pytest.mark.parametrize(
    ("skills", "others", "expected"),
    [
        ([1, 1, 1], [1, 1, 1], (1, 1, 1)),
        ([1, 1, 1], [1, 0, 1], (0, 1, 0)),  # one of the others may be lacking for all skills
        ([1, 1, 1], [0, 0, 1], (0, 0, 0)),
        ([1, 0, 1], [1, 1, 1], (0, 0, 2 / 3)),
        ([1, 0, 1], [1, 1, 0], (0, 0, 0)),
        ([0], [1, 1, 1], (0, 0, 0)),
        ([1], [1, 1, 1], (1, 1, 1)),
    ],
)
def test_cases_worked_by_hand(skills: list[int], others: list[int], expected: tuple[float, float, float]) -> None:
    found = scores(skills, others)
    assert (found.full, found.all_skills, found.fraction) == pytest.approx(expected)


def told(points: tuple[int, ...], k: int) -> tuple[float, float, float]:
    """The released rules, one text at a time."""
    won, beside = sum(points[:k]), sum(points[k:])
    full = 1.0 if won + beside == k + 3 else 0.0
    return full, 1.0 if won == k and beside >= 2 else 0.0, won / k if beside == 3 else 0.0


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_all_points_there_are_agree_with_the_rules_one_text_at_a_time(k: int) -> None:
    points = np.array(list(product((0, 1), repeat=k + 3)))
    found = scores(points[:, :k], points[:, k:])
    expected = np.array([told(tuple(row), k) for row in points])
    assert np.allclose(np.stack([found.full, found.all_skills, found.fraction], axis=1), expected)


def test_leading_axes_are_kept() -> None:
    assert scores(np.ones((4, 3, 2)), np.ones((4, 3, 3))).full.shape == (4, 3)


def test_a_point_is_given_by_more_than_half_of_the_gradings() -> None:
    points = [[1, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert majority(points).tolist() == [True, False, False]
    assert majority(points[:2]).tolist() == [True, False, False]  # one of two is no majority


def test_the_best_generation_is_optimistic_and_the_mean_is_not() -> None:
    values = [[0, 1, 0], [0, 0, 0]]
    assert best(values).tolist() == [1, 0]
    assert mean(values).tolist() == pytest.approx([1 / 3, 0])


def test_a_text_may_have_one_sentence_fewer_than_skills_and_at_least_one() -> None:
    assert [most_sentences(k) for k in (1, 2, 3, 5)] == [1, 1, 2, 4]


def test_shapes_that_do_not_fit_are_told() -> None:
    with pytest.raises(Invalid, match="others are"):
        scores([1, 1], [1, 1])
    with pytest.raises(Invalid, match="at least one grading"):
        majority(np.zeros((0, 3)))
