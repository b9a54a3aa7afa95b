"""The bits of a task: the paper's formulas against mpmath without logarithms, published figures, and data that fail."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unseen.core.errors import Invalid
from unseen.measures import difficulty
from unseen.measures.difficulty import Bits, Constants, How, bits, control, meta, of, of_task, partial, union
from unseen.tasks.manifolds import Manifold, embedded, uniform

mpmath = pytest.importorskip("mpmath", reason="mpmath comes with sympy")
mpmath.mp.dps = 60
mp = mpmath.mp

MNIST = Constants(60_000, 14, 2.39871, 17.179, 10, 1e-3)
SVHN = Constants(73_257, 19, 1.57670, 53.869, 10, 1e-2)
CIFAR = Constants(50_000, 27, 2.75064, 54.916, 10, 1e-2)
IMAGENET = Constants(1_280_901, 48, 65.0, 943.592, 1000, 0.1)
OMNIGLOT = Constants(30 * 20.0**20, 22, 5.4772, 49.406, 20, 0.01)


def number(x: float) -> object:
    return mp.mpf(repr(float(x)))


def degree(m: object, radius: object, delta: object) -> object:
    frequency = 2 * mp.pi * radius / delta
    return (mp.sqrt((m - 1) ** 2 + 4 * frequency**2) - (m - 1)) / 2


def eigenfunctions(m: object, k: object) -> object:
    def choose(a: object, b: object) -> object:
        return mp.gamma(a + 1) / (mp.gamma(b + 1) * mp.gamma(a - b + 1))

    return choose(m + k, m) + choose(m + k - 1, m)


def plainly(n: float, m: object, delta: float, radius: object, outputs: object, cells: int, bound: object, error: float) -> object:  # fmt: skip
    """Formulas 1 to 7 as they stand, in sixty digits."""
    n, delta, error, m = number(n), number(delta), number(error), mp.mpf(m)
    k = degree(m, radius, delta)
    surface = (2 * mp.pi ** ((m + 1) / 2) * cells / mp.gamma((m + 1) / 2)) ** (1 / m)
    far = mp.sqrt(m / 6) * surface * radius * n ** (-1 / m)
    steep = k * mp.sqrt(outputs) / radius
    left = 2 * outputs * cells * eigenfunctions(m, k) - n * outputs
    log2 = lambda x: mp.log(x) / mp.log(2)  # noqa: E731
    return left * (log2(bound) + log2(outputs) / 2 + log2(cells) / 2 - log2(error) + log2(steep) + log2(far))


def of_classes(c: Constants) -> object:
    return plainly(c.n, c.m, c.delta, number(c.radius), mp.mpf(c.classes - 1), c.classes, mp.mpf(1), c.error)


@pytest.mark.parametrize(("task", "told"), [(MNIST, 1.48e16), (SVHN, 1.21e31), (CIFAR, 3.44e32), (IMAGENET, 3.58e41)])
def test_image_sets_have_the_bits_of_the_formulas_and_of_the_paper(task: Constants, told: float) -> None:
    oracle = of_classes(task)
    found = of_task(task)
    assert found.log10 == pytest.approx(float(mp.log10(oracle)), abs=1e-10)
    assert f"{float(found):.3g}" == f"{told:.3g}" == f"{float(oracle):.3g}"
    assert found == bits(task.n, task.m, task.delta, task.radius, task.classes, task.error)


def test_omniglots_bits() -> None:
    m0, radius = mp.mpf(22), number(49.406)
    outputs = 2 * 20 * 19 * eigenfunctions(m0, degree(m0, radius, number(5.4772)))
    oracle = plainly(
        30 * 20.0**20, 29 + 19 * 22, 5.4772, radius * mp.sqrt(20), outputs, 1, mp.sqrt(380), 0.01
    )  # fmt: skip
    found = meta(OMNIGLOT, 29)
    assert found.log10 == pytest.approx(float(mp.log10(oracle)), abs=1e-9)
    assert 1.75e145 < float(found) < 1.85e145


@pytest.mark.parametrize(("m", "actions", "told"), [(6, 2, 2.91e25), (15, 4, 7.61e58), (17, 6, 1.72e66)])
def test_mujocos_bits(m: int, actions: int, told: float) -> None:
    assert f"{float(control(m, actions)):.3g}" == f"{told:.3g}"
    for error in (0.1, 1e-8):
        waves = 2 * (2 * mp.pi * 1000) ** m * mp.pi ** (mp.mpf(m) / 2) / mp.gamma(mp.mpf(m) / 2 + 1) - 10**6
        each = 4 * mp.pi**2 / mp.sqrt(6) * actions * mp.sqrt(m) * 1000 / mp.mpf(10**6) ** (mp.mpf(1) / m) / number(error)  # fmt: skip
        oracle = actions * waves * mp.log(each) / mp.log(2)
        assert control(m, actions, error=error).log10 == pytest.approx(float(mp.log10(oracle)), abs=1e-10)


def test_cartpoles_bits() -> None:
    told = [4.41e9, 3.33e17, 1.46e25, 4.69e32, 1.19e40]
    for t, figure in enumerate(told, 1):
        waves = 2 * (2 * mp.pi * 1000) ** (2 * t) * mp.pi**t / mp.factorial(t) - 10**4
        each = 4 * mp.pi**2 / mp.sqrt(3) * mp.sqrt(t) * 10**6 / mp.mpf(10**4) ** (mp.mpf(1) / (2 * t))
        oracle = waves * mp.log(each) / mp.log(2)
        assert partial(t).log10 == pytest.approx(float(mp.log10(oracle)), abs=1e-10)
        assert f"{float(partial(t)):.3g}" == f"{figure:.3g}" == f"{float(oracle):.3g}"


def test_two_tasks_at_once() -> None:
    radius = mp.sqrt(number(MNIST.radius) ** 2 + number(SVHN.radius) ** 2)
    oracle = plainly(60_000 * 73_257, 33, MNIST.delta, radius, mp.mpf(10), 100, mp.mpf(1), MNIST.error)
    assert union(MNIST, SVHN).log10 == pytest.approx(float(mp.log10(oracle)), abs=1e-9)
    assert union(MNIST, SVHN).log10 > max(of_task(MNIST).log10, of_task(SVHN).log10)


def test_dimensions_that_are_no_whole_numbers_and_small_ones() -> None:
    for task in (Constants(300, 1, 0.01, 1.0, 2, 0.01), Constants(50, 2.7, 0.2, 1.3, 3, 0.05), Constants(10, 40, 0.5, 1, 2, 0.01)):  # fmt: skip
        assert of_task(task).log10 == pytest.approx(float(mp.log10(of_classes(task))), abs=1e-9)


def test_what_no_float_holds_is_told_by_its_logarithm() -> None:
    huge = bits(1e6, 900, 0.5, 500.0, 1000, 1e-3)
    assert huge.log10 == pytest.approx(float(mp.log10(of_classes(Constants(1e6, 900, 0.5, 500.0, 1000, 1e-3)))))
    assert huge.log10 > 308 and math.isinf(float(huge))
    assert str(huge).endswith(f"e{math.floor(huge.log10)} bits")


def test_the_scale_of_the_inputs_does_not_matter() -> None:
    assert bits(500, 7, 0.3, 2.0, 4, 0.01).log10 == pytest.approx(bits(500, 7, 30.0, 200.0, 4, 0.01).log10)


def test_enough_data_ask_for_no_bits() -> None:
    # on the circle with 2πR/δ = 3: E = 4 + 3 = 7 functions, 2 · 1 · 2 · 7 = 28 dimensions of hypotheses
    delta = 2 * math.pi / 3
    assert bits(28, 1, delta, 1.0, 2, 0.01) == Bits(-math.inf, "data suffice")
    some = bits(27, 1, delta, 1.0, 2, 0.01)
    assert some.state == "" and float(some) > 0
    assert float(bits(28, 1, delta, 1.0, 2, 0.01)) == 0 and str(bits(28, 1, delta, 1.0, 2, 0.01)) == "0 bits (data suffice)"  # fmt: skip
    assert control(1, 1, n=1e9).state == partial(1, n=1e12).state == "data suffice"


def test_so_lax_an_error_asks_for_no_bits_either() -> None:
    assert bits(27, 1, 2 * math.pi / 3, 1.0, 2, 1e6).state == "every hypothesis generalizes"


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"m": 0.5}, {"delta": 0.0}, {"radius": -1.0}, {"classes": 1}, {"error": 0.0}, {"m": math.nan}]
)
def test_constants_outside_their_range_are_told(wrong: dict[str, float]) -> None:
    with pytest.raises(Invalid, match=next(iter(wrong))):
        bits(**{"n": 100, "m": 2, "delta": 0.1, "radius": 1.0, "classes": 2, "error": 0.01, **wrong})  # type: ignore[arg-type]


def test_control_needs_positive_numbers() -> None:
    with pytest.raises(Invalid, match="actions=0"):
        control(3, 0)
    with pytest.raises(Invalid, match="observations=0"):
        partial(0)


def test_the_bits_of_points_are_those_of_their_constants() -> None:
    made, rng = Manifold("sphere", 3, ambient=10), np.random.default_rng(0)
    inside = uniform(made, 900, rng)
    x, y = embedded(made, inside), np.where(inside[:, 0] > 0, "up", "down")
    apart = np.linalg.norm(x[y == "up"][:, None] - x[y == "down"][None], axis=2).min()
    found = of(x, y, error=0.01, rng=rng)
    assert (found.n, found.classes) == (900, 2)
    assert found.delta.value == pytest.approx(apart) and found.radius.value == pytest.approx(1)
    assert found.m.low < found.m.value < found.m.high and abs(found.m.value - 3) < 0.3
    assert found.bits == bits(900, found.m.value, found.delta.value, found.radius.value, 2, 0.01)
    assert found.low <= found.bits.log10 <= found.high
    assert of(x, y, error=0.01, rng=np.random.default_rng(1)).delta.value == pytest.approx(apart)


def test_how_is_followed() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 3))
    y = (x[:, 0] > 0).astype(int)
    x[7], x[8], y[7], y[8] = 0.0, 0.0, 0, 1
    with pytest.raises(Invalid, match="2 rows stand under two labels"):
        of(x, y, error=0.01, rng=rng)
    kept = of(x, y, error=0.01, rng=rng, how=How(min_distance=1e-6, sample=400, extremes=True))
    assert kept.delta.value > 1e-6
    assert difficulty.PLAIN.sample == 30_000
