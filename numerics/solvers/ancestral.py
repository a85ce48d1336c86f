r"""Ancestral sampling: x_{t-1} is drawn from a Gaussian whose mean is affine in x_t and in the noise predicted in it.

A sampler is a table of coefficients.  The step of DDPM (Ho et al. 2020, eq. 11),

.. math:: x_{t-1} = \frac{1}{\sqrt{\alpha}} \Bigl(x_t - \frac{\beta}{\sqrt{1-\bar\alpha}}\, \epsilon_\theta(x_t)\Bigr)
   + \sigma z, \qquad z \sim \mathcal N(0, I),

is a row of three numbers, and a line of code that every row shares.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

from array_api_compat import array_namespace, is_torch_array

from ..schedules import Step


class Row(NamedTuple):
    """The coefficients of x_t, of the noise predicted in it, and of fresh noise."""

    x_t: float
    predicted_noise: float
    noise: float


def ddpm(step: Step) -> Row:
    """The row of DDPM; its noise has the posterior variance, beta (1 - alpha_bar_prev) / (1 - alpha_bar)."""
    alpha, beta, alpha_bar, alpha_bar_prev = step.alpha, step.beta, step.alpha_bar, step.alpha_bar_prev
    posterior_variance = beta * (1 - alpha_bar_prev) / (1 - alpha_bar)
    return Row(
        x_t=1 / sqrt(alpha),
        predicted_noise=-beta / sqrt(alpha * (1 - alpha_bar)),
        noise=sqrt(posterior_variance),
    )


def ddpm_step(x_t: Any, predicted_noise: Any, noise: Any, row: Row, out: Any = None) -> Any:
    """x_{t-1} = row.x_t x_t + row.predicted_noise predicted_noise + row.noise noise.

    The arrays have one shape, and come from any library that follows the array API standard.  In torch no temporaries
    are made, and nothing at all if ``out`` is given: ``out=noise`` turns the draw into the sample where it lies.

    Raises TypeError if ``out`` is given without torch, ValueError if it would overwrite what is still to be read.
    """
    if not is_torch_array(noise):
        if out is not None:
            raise TypeError(f"out is for torch tensors, and the noise is a {type(noise).__name__}: leave out away")
        return row.x_t * x_t + row.predicted_noise * predicted_noise + row.noise * noise
    if out is x_t or out is predicted_noise:
        raise ValueError("out is written before x_t and predicted_noise are read: give another tensor, or out=noise")
    x_prev = array_namespace(noise).mul(noise, row.noise, out=out)
    return x_prev.add_(x_t, alpha=row.x_t).add_(predicted_noise, alpha=row.predicted_noise)
