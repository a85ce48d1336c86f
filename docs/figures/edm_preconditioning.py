"""The scales of the denoiser against the level of the noise: the shortcut hands over to the network at sigma_d."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noiseproof import claim
from noiseproof.figures.drawing import BRIGHT, DARK, GREY
from numerics.compiled import formulas

from .labels import label, stacked

SPREAD = 0.5  # sigma_d, as Karras et al. (2022) have it
SIGMAS = np.geomspace(0.002, 80, 401)  # their levels of noise


def scale(name: str) -> Any:
    """The scale of this name, at every level."""
    return formulas(claim("edm.preconditioning"))[name](sigma=SIGMAS, sigma_d=SPREAD)


def weight() -> Any:
    """One over the square of the output's scale."""
    return formulas(claim("edm.weight"))["weight"](sigma=SIGMAS, sigma_d=SPREAD)


def edm_preconditioning() -> Figure:
    """Above the scales, below the weight."""
    figure, (scales, weights) = stacked(5.8, (1.5, 1), sharex=True)
    for name, colour in (("c_in", DARK), ("c_skip", "black"), ("c_out", BRIGHT)):
        scales.plot(SIGMAS, scale(name), color=colour, lw=1.8)
    scales.set(ylim=(0, 2.15), yticks=(0, 0.5, 1, 1.5, 2))
    scales.set_title("scales", loc="left")
    label(scales, 0.0025, 1.87, r"$c_{\rm in}$, of the input", DARK)
    label(scales, 0.0025, 1.13, r"$c_{\rm skip}$, of the shortcut")
    label(scales, 3, 0.62, r"$c_{\rm out}$, of the output", BRIGHT)
    weights.plot(SIGMAS, weight(), color=GREY, lw=1.8)
    weights.set(xscale="log", yscale="log", xlim=(SIGMAS[0], SIGMAS[-1]), ylim=(1, 1e6))
    weights.set(xlabel=r"level of the noise $\sigma$")
    weights.set_title(r"weight $\lambda=1/c_{\rm out}^2$", loc="left")
    weights.set_xticks([0.01, 0.1, SPREAD, 10], ["0.01", "0.1", r"$\sigma_d=0.5$", "10"])
    weights.set_yticks([1, 1e2, 1e4])
    weights.minorticks_off()
    for axes in (scales, weights):
        at_the_spread(axes)
    return figure


def at_the_spread(axes: Axes) -> None:
    """Where there is as much noise as data."""
    axes.axvline(SPREAD, color=GREY, lw=0.7, ls=(0, (2, 3)), zorder=0)
