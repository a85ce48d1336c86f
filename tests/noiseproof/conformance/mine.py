"""A user's own step, of NumPy and of torch."""

from __future__ import annotations

import numpy as np

from noiseproof import from_step

BARS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))


def ddim(a, b, eta):
    """Song et al., eqs. 12 and 16."""
    sd = eta * np.sqrt((1 - b) / (1 - a) * (1 - a / b))
    return np.sqrt(b / a), np.sqrt(1 - b - sd**2) - np.sqrt(b / a * (1 - a)), sd


def step_of_ddim(x, p, t, t_prev, noise):
    a, b = BARS[t], BARS[t_prev] if t_prev >= 0 else 1.0
    of_x, of_p, sd = ddim(a, b, 0.7)
    return of_x * x + of_p * p + sd * noise()


def in_torch(x, p, t, t_prev, noise):
    return step_of_ddim(x, p, t, t_prev, noise).to(x.dtype)


def noisy(x_0, epsilon, t):
    return np.sqrt(BARS[t]) * x_0 + np.sqrt(1 - BARS[t]) * epsilon


mine = from_step(step_of_ddim, BARS, family="ddim", eta=0.7, add_noise=noisy)
of_torch = from_step(in_torch, BARS, family="ddim", spacing="trailing", library="torch", name="mine")
