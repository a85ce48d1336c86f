"""Samples of DDIM are too narrow: by the squared cosines of the angles of its steps, which come up to one as 1/N."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from noiseproof import claim
from noiseproof.figures.drawing import BRIGHT, DARK, PALE
from numerics.compiled import formulas
from numerics.solvers.grids import Grid
from numerics.solvers.methods import ddim
from numerics.solvers.moments import final
from numerics.worlds import normal

from .labels import label, stacked

Array = np.ndarray

MEAN, VARIANCE, ALPHA_BAR = 0.0, 1.0, 4e-5  # of the data, and what is left of them at T
FEW = (2, 5)  # steps whose ends are drawn
STEPS = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256])


def angle() -> float:
    """How far the chain turns, from x_T to the data."""
    return float(np.arctan(np.sqrt((1 - ALPHA_BAR) / (ALPHA_BAR * VARIANCE))))


def equal_angles(steps: int) -> Grid:
    """The grid on which every step turns by the same angle."""
    sigmas = np.sqrt(VARIANCE) * np.tan(angle() * np.arange(steps, -1, -1) / steps)
    return Grid(np.ones_like(sigmas), sigmas).in_units("vp")


def by_formula(steps: Any) -> Array:
    """The variance of the samples, as proved."""
    return formulas(claim("sampler.ddim-gaussian"))["final"](v_0=VARIANCE, theta=angle(), N=steps)


def by_running(steps: int) -> float:
    """The variance of the samples, from the steps of the sampler; nothing is drawn."""
    return final(ddim(equal_angles(steps)), MEAN, VARIANCE).variance


def ddim_shrinkage() -> Figure:
    """Above the ends of few steps, below what is missing of the variance."""
    figure, (ends, missing) = stacked(6.4, (1, 1))
    x = np.linspace(-3.2, 3.2, 321)
    data = normal(x, MEAN, VARIANCE)
    ends.fill_between(x, data, color=PALE, alpha=0.6, lw=0)
    ends.plot(x, data, color=DARK, lw=1.5)
    for n in FEW:
        density = normal(x, MEAN, by_formula(n))
        ends.plot(x, density, color=BRIGHT, lw=1.5)
        label(ends, 0, density.max() + 0.02, f"{n} steps", BRIGHT, ha="center", va="bottom")
    label(ends, 1.5, 0.17, "the data", DARK)
    ends.set(xlim=(-3.2, 3.2), ylim=(0, 0.9), xlabel="$x_0$", ylabel="density")
    ends.set_title("where $x_T$ ends after few steps of DDIM", loc="left")
    n = np.geomspace(1, STEPS[-1], 200)
    constant = formulas(claim("sampler.ddim-gaussian"))["constant"](v_0=VARIANCE, theta=angle())
    missing.plot(n, -constant / n / VARIANCE, color="black", lw=1.4)
    missing.plot(n, 1 - by_formula(n) / VARIANCE, color=BRIGHT, lw=1.4)
    missing.plot(STEPS, [1 - by_running(k) / VARIANCE for k in STEPS], "o", ms=5, color=BRIGHT)
    missing.set(xscale="log", yscale="log", xlabel="steps N", xlim=(0.9, 300), ylim=(5e-3, 4))
    missing.set_title("missing part of the variance", loc="left")
    missing.set_xticks([1, 10, 100], ["1", "10", "100"])
    missing.set_yticks([0.01, 0.1, 1], ["1 %", "10 %", "100 %"])
    missing.minorticks_off()
    label(missing, 3, 1.25, r"$\theta_T^2/N$")
    label(missing, 1, 0.27, r"$1-\cos^{2N}(\theta_T/N)$", BRIGHT)
    return figure
