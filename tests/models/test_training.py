"""Formulas have slopes, a minimum says how far off it is, and a loss without one is found out."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from models.training import differentiable, minimised  # noqa: E402


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


def test_a_minimum_and_what_is_left():
    target = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    found = minimised(lambda x: (3 * (x - target) ** 2 + (x - target) ** 4).sum(), torch.zeros(3))
    off = np.abs((found.at - target).numpy())
    assert np.all(off <= 1e-7)
    assert abs(found.left) < 1e-13
    np.testing.assert_allclose(np.linalg.eigvalsh(np.diag(found.curvature)), 6.0, rtol=1e-5)


def test_what_is_left_is_what_newton_would_still_do():
    """Stopped early, it says how far it is from the minimum, in the loss and in the parameters."""
    bowl = torch.tensor([1.0, 40.0], dtype=torch.float64)
    loss = lambda x: (bowl * (x - 1) ** 2).sum() / 2 + (x - 1).sum() ** 4
    found = minimised(loss, torch.tensor([3.0, 2.0]), steps=0)
    assert found.value == pytest.approx(103.0)
    assert found.left > 1
    near = minimised(lambda x: (bowl * (x - 1) ** 2).sum() / 2, torch.tensor([1.01, 0.98]), steps=0)
    np.testing.assert_allclose(near.distance, [0.01, 0.02], rtol=1e-4)
    assert near.left == pytest.approx(near.value, rel=1e-4)


def test_a_loss_without_a_minimum_is_found_out():
    with pytest.raises(FloatingPointError, match="it has no minimum"):
        minimised(lambda x: -torch.exp(x).sum() - (x**2).sum(), torch.ones(2))
