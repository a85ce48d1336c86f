"""A velocity trained on single paths lands on their mean, refutes mistakes, and after reflow runs straight."""

from dataclasses import replace

import numpy as np
import pytest
from numpy import sqrt

torch = pytest.importorskip("torch")

from models import flow  # noqa: E402
from models.diffusion import WORLD  # noqa: E402
from models.flow import SOME, TIMES, carried_past, marginal_velocity, one_step_mean, reflowing, velocity  # noqa: E402
from models.velocity import Velocity, train  # noqa: E402
from numerics.checks.flow.velocity import density_rate, straight_line  # noqa: E402
from numerics.solvers.transport import distance, yardstick  # noqa: E402
from numerics.statistics import FAIL, INCONCLUSIVE, PASS  # noqa: E402

TRUTH = {
    "mean_velocity": lambda x_t, predicted_x_1, a, b, a_dot, b_dot, **_: (
        a_dot * predicted_x_1 + b_dot * (x_t - a * predicted_x_1) / b
    ),
    "gap": lambda uncertainty, a, b, a_dot, b_dot, **_: (a_dot - b_dot * a / b) ** 2 * uncertainty,
    "rate": lambda density, divergence, u, score, **_: -density * (divergence + u * score),
}
MISTAKES = {
    "mean_velocity": lambda x_t, m_1, a, b, a_dot, b_dot, **_: a_dot * m_1 + b_dot * (x_t - a * m_1) / b,
    "gap": lambda **_: 0.0,
    "rate": lambda density, divergence, u, score, **_: density * (divergence + u * score),
}
SHAPES = {"constant": np.ones_like, "sin": np.sin, "tanh": lambda x: np.tanh(3 * x), "square": lambda x: x * x - 1}


def atoms_of(**formulas):
    """The atoms of the first time, by the formula that they judge."""
    return dict(zip(("mean_velocity", "gap", "rate"), marginal_velocity(**{**TRUTH, **formulas})))


def verdicts(seed=0, **formulas):
    return {name: atom.examine(seed, "flow", name).verdict for name, atom in atoms_of(**formulas).items()}


@pytest.mark.slow
def test_the_network_lands_on_the_formulas():
    assert set(verdicts().values()) == {PASS}


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name):
    """The atom of the formula that is wrong refutes it, and no other."""
    found = verdicts(**{name: MISTAKES[name]})
    assert [other for other in found if found[other] == FAIL] == [name]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_an_error_of_the_size_it_resolves_is_found(shape):
    """Whatever its shape."""
    atom, bent = atoms_of()["mean_velocity"], SHAPES[shape]
    x, _ = flow.moving(TIMES[0])(np.random.default_rng(0), 100_000)
    size = atom.resolves / sqrt(np.mean(bent(x) ** 2))
    wrong = replace(atom, formula=lambda x: atom.formula(x) + size * bent(x) * flow.given(TIMES[0])(x).sigma)
    assert wrong.examine(0, "flow", shape).verdict == FAIL


def test_a_network_that_has_not_learnt_passes_nothing():
    atom = replace(atoms_of()["mean_velocity"], network=lambda seed: lambda x: untrained().predict(x, TIMES[0]))
    finding = atom.examine(0, "flow", "untrained")
    assert finding.verdict == INCONCLUSIVE
    assert "train it longer" in finding.detail


@pytest.mark.slow
def test_one_training_judges_every_formula():
    verdicts()
    trained = velocity.cache_info().misses
    verdicts(gap=MISTAKES["gap"])
    assert velocity.cache_info().misses == trained


@pytest.mark.slow
def test_its_flow_has_nearly_the_densities_of_the_world():
    for t in TIMES:
        density, _, rate = carried_past(velocity(0), t, 96)
        np.testing.assert_allclose(density, WORLD.affine(t, (1 - t) ** 2)(SOME), atol=2e-2)
        np.testing.assert_allclose(rate, density_rate(WORLD, straight_line(t), SOME), atol=0.1)


@pytest.mark.slow
def test_one_step_makes_a_mean_and_after_reflow_data():
    noise, law = np.random.default_rng(0).standard_normal(20_000), yardstick(WORLD)
    first, second = (flow.in_one_step(network)(noise) for network in (velocity(0), reflowing(0)))
    assert distance(second, law) < 5e-2
    assert distance(first, law) > 0.9 * sqrt(WORLD.variance)
    assert sqrt(np.mean((first - WORLD.mean) ** 2)) < 5e-2


@pytest.mark.slow
def test_reflow_makes_trajectories_straight():
    """How much the velocity changes from end to end, in the mean square."""
    noise = np.random.default_rng(0).standard_normal(2000)
    turns = [
        sqrt(np.mean((network.predict(network.carry(noise), 1.0) - network.predict(noise, 0.0)) ** 2))
        for network in (velocity(0), reflowing(0))
    ]
    assert turns[1] < turns[0] / 50


@pytest.mark.slow
def test_what_small_steps_say_of_a_step():
    """Where the velocity turns, one long step is no better than it says."""
    step = lambda x_t, h, predicted_velocity, **_: x_t + h * predicted_velocity
    backwards = lambda x_t, h, predicted_velocity, **_: x_t - h * predicted_velocity
    same = lambda **_: 0.0
    for formula, verdict in ((step, PASS), (backwards, FAIL)):
        *_, atom = one_step_mean(step=formula, start=same, landing=same, variance=same, reflowed=same)
        assert atom.examine(0, "flow", "step").verdict == verdict


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_fresh_seeds(seed):
    """Another network, other draws, the same verdicts."""
    assert set(verdicts(seed).values()) == {PASS}


# The network


def untrained(dimension=1):
    return Velocity(dimension, torch.Generator().manual_seed(1)).double()


def straight(rng, n):
    """Ends that know the noise."""
    x_0 = rng.standard_normal(n)
    return x_0, 0.3 + 1.7 * x_0


def test_untrained_nothing_moves():
    for x in (SOME, np.random.default_rng(0).standard_normal((4, 3))):
        network = untrained(1 if x.ndim == 1 else 3)
        assert np.array_equal(network.carry(x), x)
        assert np.array_equal(network.predict(x, 0.3), 0 * x)


def test_there_and_back():
    there = velocity(0).carry(SOME, 0.0, 0.83)
    assert np.all(np.abs(there - SOME) > 0.1)
    np.testing.assert_allclose(velocity(0).carry(there, 0.83, 0.0), SOME, atol=1e-6)


def test_the_table_of_ends_is_the_flow():
    x = np.linspace(-4, 4, 33)
    np.testing.assert_allclose(flow.flow(0)(x), velocity(0).carry(x), atol=1e-5)


def test_the_same_stream_trains_the_same_bits():
    one, two, other = (train(straight, 1, 1, np.random.default_rng(seed), 20).predict(SOME, 0.4) for seed in (5, 5, 6))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_threads_and_the_global_generator_stay_as_they_were():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(2)
    try:
        train(straight, 1, 1, np.random.default_rng(0), 2).carry(SOME)
        assert torch.get_num_threads() == 2
        assert torch.equal(state, torch.random.get_rng_state())
    finally:
        torch.set_num_threads(threads)


def test_progress_is_told_and_nothing_is_printed(capsys):
    seen = []
    train(straight, 1, 1, np.random.default_rng(0), 3, lambda *news: seen.append(news))
    assert [(done, total) for done, total, _ in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[0][2] == pytest.approx(0.3**2 + 0.7**2, abs=0.02)  # the mean square of a velocity: nothing moves yet
    assert capsys.readouterr() == ("", "")


def test_draws_that_cannot_be():
    gaps = lambda rng, n: (straight(rng, n)[0], np.where(np.arange(n) == 3, np.nan, 1.0))
    with pytest.raises(ValueError, match="the loss is nan in batch 1; expected draws that are finite numbers"):
        train(gaps, 1, 1, np.random.default_rng(0), 2)
