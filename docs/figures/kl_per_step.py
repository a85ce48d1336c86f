"""KL per step against beta: slope 1 for the naive kernel, 2 with the right mean, 3 with the right variance, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noiseproof import claim
from noiseproof.figures.drawing import BRIGHT, DARK, label
from numerics.checks.reversal.orders import price
from numerics.compiled import formulas
from numerics.quadrature import settled
from numerics.worlds import mixture

Array = np.ndarray

DATA = mixture([0.3, 0.7], [-1.0, 1.2], [0.25, 0.4])  # the law of x_{t-1}: two clusters, and smooth
BETAS = np.geomspace(1e-3, 0.5, 10)


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


def costs(of: Kernel) -> Costs:
    """What this kernel costs at every beta."""
    known = formulas(claim(of.claim))
    cost = price(DATA, of.gaussian)
    integrated = np.array([float(settled(cost(beta))) for beta in BETAS])
    return Costs(integrated, float(known["rate"]()), float(known["constant"](marginal=DATA)))


def kl_per_step() -> Figure:
    """Dots are integrals, lines the leading terms."""
    found = {name: costs(kernel) for name, kernel in KERNELS.items()}
    figure = Figure(figsize=(5.0, 3.7), layout="constrained")
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlim=(8e-4, 0.6), ylim=(2e-9, 3))
    axes.set(xlabel=r"step size $\beta_t$", ylabel="KL per step, nats")
    axes.set_xticks([1e-3, 1e-2, 0.1, 0.5], ["0.001", "0.01", "0.1", "0.5"])
    axes.minorticks_off()
    for of, colour in zip(found.values(), (BRIGHT, DARK, "black"), strict=True):
        axes.plot(BETAS, of.leading(BETAS), color=colour, lw=1)
        axes.plot(BETAS, of.integrated, "o", ms=4, color=colour)
    figure.draw_without_rendering()  # so that the axes know how steep a line is
    along(axes, found["naive"], 0.009, "naive kernel: slope 1", BRIGHT)
    along(axes, found["DDPM's"], 0.006, r"exact mean, variance $\beta_t$: slope 2", DARK)
    along(axes, found["best"], 0.0055, "exact mean and variance: slope 3", "black")
    return figure


def along(axes: Axes, of: Costs, beta: float, words: str, colour: str) -> None:
    """Words above a line, as steep as it is."""
    (x, y), (x_2, y_2) = axes.transData.transform([(b, of.leading(b)) for b in (beta, 2 * beta)])
    turned = {"rotation": np.degrees(np.arctan2(y_2 - y, x_2 - x)), "rotation_mode": "anchor"}
    label(axes, beta, 1.7 * of.leading(beta), words, colour, ha="center", va="bottom", **turned)
