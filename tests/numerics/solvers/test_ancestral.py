"""The step of DDPM is the reverse kernel where the noise is known: data in one point."""

import array_api_compat.numpy as xp
import numpy as np
import pytest

from numerics import worlds
from numerics.schedules import Step, linear
from numerics.solvers.ancestral import ddpm, ddpm_step

STEPS = [Step(alpha=0.683, alpha_bar_prev=0.591), Step(alpha=0.947, alpha_bar_prev=0.843), linear().step(500)]
ROUNDING = np.finfo(float).eps
X_T, NOISE = np.array([-1.27, 0.19, 1.71]), np.array([0.57, -1.31, 0.83])


MISTAKES = {
    "variance-beta": lambda row, step: row._replace(noise=np.sqrt(step.beta)),
    "variance-for-sigma": lambda row, step: row._replace(noise=row.noise**2),
    "sign": lambda row, step: row._replace(predicted_noise=-row.predicted_noise),
    "sqrt-beta": lambda row, step: row._replace(predicted_noise=row.predicted_noise / np.sqrt(step.beta)),
    "no-root-alpha": lambda row, step: row._replace(x_t=1 / step.alpha),
}


def is_reverse_kernel(row, step, x_0=0.83):
    """Whether it takes a normal draw to q(x_prev | x_t, x_0), up to rounding, which 1 - alpha and its like inflate."""
    kernel = worlds.point(x_0).reverse_kernel(step, X_T)
    expected = kernel.mean + np.sqrt(kernel.variance) * NOISE
    predicted_noise = (X_T - np.sqrt(step.alpha_bar) * x_0) / np.sqrt(1 - step.alpha_bar)
    size = np.abs(kernel.mean) + np.abs(X_T) + np.abs(NOISE)
    gap = np.abs(ddpm_step(X_T, predicted_noise, NOISE, row) - expected)
    return np.all(gap <= 32 * ROUNDING * size / step.beta)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"alpha={step.alpha:.3f}")
def test_with_one_data_point_it_draws_from_the_reverse_kernel(step):
    """Exactly: q(x_prev | x_t) is then q(x_prev | x_t, x_0), the Gaussian that the step of DDPM imitates."""
    assert is_reverse_kernel(ddpm(step), step)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"alpha={step.alpha:.3f}")
@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name, step):
    assert not is_reverse_kernel(MISTAKES[name](ddpm(step), step), step)


def test_the_last_step_adds_no_noise():
    assert ddpm(linear().step(1)).noise == 0


def test_torch_and_numpy_agree_and_out_is_where_the_result_lies():
    torch = pytest.importorskip("torch")
    row, arrays = ddpm(STEPS[0]), (X_T, NOISE[::-1].copy(), NOISE)
    expected = ddpm_step(*arrays, row)
    x_t, predicted_noise, noise = (torch.tensor(a) for a in arrays)
    again = ddpm_step(x_t, predicted_noise, noise, row)
    assert np.allclose(again.numpy(), expected, rtol=0, atol=8 * ROUNDING)
    assert torch.equal(noise, torch.tensor(NOISE))  # not asked to write, it wrote nothing
    assert ddpm_step(x_t, predicted_noise, noise, row, out=noise) is noise
    assert torch.equal(noise, again)


def test_out_is_refused_where_it_would_give_a_wrong_number():
    torch = pytest.importorskip("torch")
    row, (x_t, predicted_noise, noise) = ddpm(STEPS[0]), torch.ones(3, 4)
    for out in (x_t, predicted_noise):
        with pytest.raises(ValueError, match="before x_t and predicted_noise are read"):
            ddpm_step(x_t, predicted_noise, noise, row, out=out)
    with pytest.raises(TypeError, match="leave out away"):
        ddpm_step(X_T, NOISE, NOISE, row, out=xp.empty(3))
