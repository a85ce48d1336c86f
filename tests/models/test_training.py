"""Formulas have slopes, a minimum says how far off it is, and a loss without one is found out."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.training import differentiable, examined, minimised  # noqa: E402


def divergence(mean, log_variance, weight):
    return weight * (mean**2 + np.exp(log_variance) - 1 - log_variance) / 2


def letters(*shapes):
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(s, generator=generator, dtype=torch.float64, requires_grad=True) for s in shapes)


@pytest.mark.parametrize("shapes", [((3, 2), (2,)), ((1, 2), (3, 1)), ((), (4,)), ((2,), (2,))])
def test_slopes_of_a_formula_are_right_whatever_is_broadcast(shapes):
    f = differentiable(divergence, weight=1.7)
    assert torch.autograd.gradcheck(lambda m, l: f(mean=m, log_variance=l), letters(*shapes))


def test_slopes_are_as_exact_as_the_formula():
    f, (mean, log_variance) = differentiable(divergence, weight=1.7), letters((5,), (5,))
    (slope,) = torch.autograd.grad(f(mean=mean, log_variance=log_variance).sum(), log_variance)
    exact = 1.7 * (log_variance.exp() - 1) / 2
    np.testing.assert_allclose(slope.numpy(), exact.detach().numpy(), rtol=1e-14)


def test_a_formula_outside_its_domain_is_not_a_number():
    f = differentiable(lambda x: np.log(x))
    assert torch.isnan(f(x=torch.tensor([-1.0], dtype=torch.float64))).all()


TARGET = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)


def test_a_minimum_is_found():
    found = minimised(lambda x: (3 * (x - TARGET) ** 2 + (x - TARGET) ** 4).sum(), torch.zeros(3))
    np.testing.assert_allclose(found.at, TARGET, atol=1e-7)
    assert 0 <= found.left < 1e-13


def test_what_is_left_is_what_newton_would_still_do():
    """Stopped early, it says how far it is from the minimum: twice, as the loss is no parabola."""
    bowl = torch.tensor([1.0, 40.0], dtype=torch.float64)
    loss = lambda x: 0.7 + (bowl * (x - 1) ** 2).sum() / 2
    found = minimised(loss, torch.tensor([1.01, 0.98]), steps=0)
    np.testing.assert_allclose(found.beyond, [1, 1], atol=1e-6)
    assert found.left == pytest.approx(2 * (found.value - 0.7), rel=1e-4)
    product, off = found.of(lambda x: x[0] * x[1])
    assert product == pytest.approx(1.01 * 0.98)
    assert off == pytest.approx(2 * abs(1 - 1.01 * 0.98), rel=1e-3)


def test_directions_without_curvature_move_nothing():
    found = minimised(lambda x: (x[0] - 1) ** 2 + 0 * x[1], torch.tensor([0.5, 3.0]), steps=0)
    np.testing.assert_allclose(found.beyond, [1, 3], atol=1e-6)


@pytest.mark.parametrize("edge", [0.0, 0.5])
def test_a_loss_that_leaves_its_domain_is_found_out(edge):
    """-log x - x: down it goes to where the logarithm ends, or for ever."""
    with pytest.raises(FloatingPointError, match="it has no minimum"):
        minimised(lambda x: (torch.log(x - edge) - torch.exp(x)).sum(), torch.ones(2) + edge)


def test_a_loss_without_a_minimum_is_found_out():
    with pytest.raises(FloatingPointError, match="it has no minimum"):
        minimised(lambda x: -torch.exp(x).sum() - (x**2).sum(), torch.ones(2))


def test_a_loss_without_a_slope_is_found_out():
    with pytest.raises(FloatingPointError, match="the slope of the loss is no number"):
        examined(lambda x: (x**2).sum().sqrt(), torch.zeros(2))


def test_what_is_left_has_the_same_bits_on_one_thread_and_on_two():
    bowl, threads, seen = torch.linspace(1, 9, 40).double(), torch.get_num_threads(), []
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            seen.append(minimised(lambda x: (bowl * (x - 1) ** 2 + x.sum() ** 2 / 3).sum(), torch.zeros(40), steps=0))
    finally:
        torch.set_num_threads(threads)
    assert np.array_equal(seen[0].beyond, seen[1].beyond)
    assert seen[0].left == seen[1].left
