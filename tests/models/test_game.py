"""Games small enough to be exact: where they end, what they have left, and when they have no end."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models import dirac  # noqa: E402
from models.game import best_response, best_worth, force, logit, modes, play, samples, worth  # noqa: E402
from numerics.worlds import mixture  # noqa: E402

DATA = modes(np.array([0.7]), 0.6)


def nonsaturating(a):
    return -1 / (1 + np.exp(a))


def test_a_generator_comes_to_the_data_and_the_answer_to_one_half():
    end = play(DATA, nonsaturating, (-0.5, 0.9), seed=0)
    assert end.left < 1e-5
    assert abs(end.mean - 0.7) <= end.left
    assert abs(end.scale - 0.6) <= end.left
    x = torch.linspace(-1, 2, 7).double()
    np.testing.assert_allclose(torch.sigmoid(logit(end.answer, x)), 0.5, atol=1e-4)


def test_the_best_answer_is_the_log_ratio():
    g = modes(np.array([-0.3]), 0.9)
    answer = best_response(samples(DATA), samples(g), torch.tensor([0.3, -0.2, 0.1]))
    x = np.linspace(-1, 2, 7)
    np.testing.assert_allclose(logit(answer, torch.from_numpy(x)), DATA.log_density(x) - g.log_density(x), atol=1e-4)
    assert worth(answer, samples(DATA), samples(g)) > -np.log(4)


def test_what_is_read_off_an_end_is_as_near_as_it_says():
    """The mean, the scale and the answer; and of a game that was stopped early, too."""
    x = torch.linspace(-1, 2, 7).double()
    read = lambda world, c: np.array([float(world.mean), float(world.variance), *torch.sigmoid(logit(c, x)).numpy()])
    for rounds in (8, 200):
        value, error = play(DATA, nonsaturating, (-0.5, 0.9), seed=0, rounds=rounds).of(read)
        assert np.all(np.abs(value - [0.7, 0.36, *[0.5] * 7]) <= error)
    assert np.all(error < 1e-4)


def test_what_the_best_answer_is_worth_is_as_near_as_it_says():
    """Twice the Jensen-Shannon divergence, less log 4, by the entropies of the two and of what is halfway."""
    g = modes(np.array([-0.3]), 0.9)
    middle = mixture([0.5, 0.5], [0.7, -0.3], [0.36, 0.81])
    exact = 2 * middle.entropy() - DATA.entropy() - g.entropy() - np.log(4)
    for start in (torch.zeros(3), torch.tensor([0.3, -0.2, 0.4])):
        value, error = best_worth(DATA, g, start)
        assert abs(value - exact) <= error < 1e-6


def test_one_half_moves_no_generator():
    assert np.all(force(torch.zeros(3), nonsaturating, -0.5, 0.9) == 0)


def test_a_slope_of_the_wrong_sign_runs_away():
    with pytest.raises(FloatingPointError, match="it runs away from the data"):
        play(DATA, lambda a: -nonsaturating(a), (-0.5, 0.9), seed=0)


@pytest.mark.slow
def test_one_of_two_modes_is_kept_whichever_is_nearer():
    two = modes(np.array([-2.0, 2.0]), 0.4)
    for start in (-1.5, 1.5):
        end = play(two, nonsaturating, (start, 0.6), seed=0, rate=0.2, enough=1e-5)
        assert end.mean == pytest.approx(2 * np.sign(start), abs=1e-2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: modes(np.array([0.0, np.nan]), 1.0), r"at\[1\] is nan; expected a finite number"),
        (lambda: modes(np.array([0.0]), -1.0), r"scale is -1; expected a number above 0"),
        (lambda: play(DATA, nonsaturating, (0.0, 0.0), 0), r"start is 0; expected a number above 0"),
        (lambda: dirac.orbit(np.ones(3), 0.1, 1), r"start has shape \(3,\); expected \(2,\)"),
        (lambda: dirac.orbit(np.ones(2), 0.0, 1), r"step is 0; expected a number above 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# The smallest game


def test_steps_at_once_lead_outwards_and_steps_in_turn_round():
    start = np.array([0.01, 0.0])
    at_once, in_turn = (
        np.linalg.norm(dirac.orbit(start, 0.2, 400, alternating), axis=1) for alternating in (False, True)
    )
    assert at_once[-1] > 3 * at_once[0]
    assert 0.9 * start[0] < in_turn[-50:].max() < 1.2 * start[0]


def test_the_players_chase_each_other():
    """The field near the equilibrium is a turn: c, and no pull inwards or outwards."""
    around = torch.autograd.functional.jacobian(dirac.field, torch.zeros(2, dtype=torch.float64))
    np.testing.assert_allclose(around, [[0, -dirac.slope()], [dirac.slope(), 0]], atol=1e-15)
