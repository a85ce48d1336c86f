"""KL per step against beta: slope 1 for the naive kernel, 2 with the right mean, 3 with the right variance, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from noiseproof import claim
from noiseproof.figures.drawing import BRIGHT, DARK, WIDE
from numerics.checks.reversal.orders import price
from numerics.compiled import formulas
from numerics.quadrature import settled
from numerics.worlds import mixture

from .labels import along

Array = np.ndarray

DATA = mixture([0.3, 0.7], [-1.0, 1.2], [0.25, 0.4])  # the law of x_{t-1}: two clusters, and smooth
BETAS = np.geomspace(1e-3, 0.5, 8)


class Kernel(NamedTuple):
    """A Gaussian in the place of the reverse kernel: of the noise, by its mean and variance given those of the law."""

    claim: str
    gaussian: Callable[[Any, Any, float], tuple[Any, Any]]


KERNELS: Mapping[str, Kernel] = {
    "naive": Kernel("reversal.kl-step-order", lambda mean, variance, beta: (0.0, 1.0)),
    "DDPM's": Kernel("reversal.ddpm-kernel-order", lambda mean, variance, beta: (mean, 1 - beta)),
    "best": Kernel("reversal.small-beta-gaussian", lambda mean, variance, beta: (mean, variance)),
}


class Costs(NamedTuple):
    """Nats per step, integrated, and the proved leading term: constant * beta^rate."""

    integrated: Array
    rate: float
    constant: float

    def leading(self, beta: Any) -> Any:
        return self.constant * beta**self.rate


@cache
def costs(of: Kernel) -> Costs:
    """What this kernel costs at every beta."""
    known = formulas(claim(of.claim))
    cost = price(DATA, of.gaussian)
    integrated = np.array([float(settled(cost(beta), 1e-10)) for beta in BETAS])  # the eye needs four digits
    return Costs(integrated, float(known["rate"]()), float(known["constant"](marginal=DATA)))


def kl_per_step() -> Figure:
    """Dots are integrals, lines the leading terms."""
    found = {name: costs(kernel) for name, kernel in KERNELS.items()}
    figure = Figure(figsize=(WIDE, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlim=(8e-4, 0.6), ylim=(2e-9, 3))
    axes.set(xlabel=r"step size $\beta_t$", ylabel="KL per step, nats")
    axes.set_xticks([1e-3, 1e-2, 0.1, 0.5], ["0.001", "0.01", "0.1", "0.5"])
    axes.minorticks_off()
    for of, colour in zip(found.values(), (BRIGHT, DARK, "black"), strict=True):
        axes.plot(BETAS, of.leading(BETAS), color=colour, lw=1.2)
        axes.plot(BETAS, of.integrated, "o", ms=5, color=colour)
    figure.draw_without_rendering()  # so that the axes know how steep a line is
    along(axes, found["naive"].leading, 0.009, "naive kernel: slope 1", BRIGHT)
    along(axes, found["DDPM's"].leading, 0.0062, r"exact mean, variance $\beta_t$: slope 2", DARK)
    along(axes, found["best"].leading, 0.0057, "exact mean and variance: slope 3", "black")
    return figure
