"""Guided sampling does not end in the tilted data: what it follows is narrower at every level of noise above zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noiseproof import claim
from noiseproof.figures.drawing import BRIGHT, DARK, PALE, WIDE
from numerics.compiled import Formula, formulas
from numerics.solvers.grids import Level, karras
from numerics.solvers.methods import heun
from numerics.solvers.moments import Moments
from numerics.solvers.running import walk
from numerics.worlds import normal

from .labels import label

Array = np.ndarray

AT = {"mu": 1.0, "c": 0.6, "C": 2.0, "w": 3.0}  # N(1, 0.6) with the label, N(0, 2) without, and a strong guidance
GRID = karras(160, sigma_max=3.0, sigma_min=0.01)
AWAY = np.array([-2, -1, 0, 1, 2])  # standard deviations of the points that follow the flows


class Guidance:
    """Both laws at a level of noise: the tilted data with noise, and what the guided score is the score of."""

    def __init__(self) -> None:
        self.known: Mapping[str, Formula] = formulas(claim("guidance.cfg-does-not-commute"))
        self.P = float(self.known["precision"](**AT))

    def at(self, name: str, sigma: float) -> float:
        return float(self.known[name](**AT, P=self.P, sigma=sigma))

    def tilted(self, sigma: float) -> Moments:
        """The data tilted, and then noise."""
        variance = 1 / self.at("noised_precision", sigma) if sigma else 1 / self.P
        return Moments(self.at("tilted_mean", sigma), variance)

    def guided(self, sigma: float) -> Moments:
        """The data with noise, tilted then."""
        precision = self.at("guided_precision", sigma)
        return Moments(self.at("pull", sigma) / precision, 1 / precision)

    def flow(self, law: Callable[[float], Moments]) -> Array:
        """Where points go that follow the score of a law, (levels, points); they begin in the tilted data with noise.

        The steps are Heun's, short enough for the eye.
        """

        def score(u: Array, level: Level) -> Array:
            mean, variance = law(level.noise)
            return (mean - u) / variance

        mean, variance = self.tilted(GRID[0].noise)
        points = mean + np.sqrt(variance) * AWAY
        return np.array([points, *(u for _, u in walk(heun(GRID).predicting("score"), score, points))])


def guidance_does_not_commute() -> Figure:
    """Above the two laws without noise and with, below where the flow along the guided score leads."""
    both = Guidance()
    figure = Figure(figsize=(WIDE, 6.4), layout="constrained")
    left, right, below = figure.subplot_mosaic("ab\nff", height_ratios=(1, 1.35)).values()
    for axes, sigma, title in ((left, 0.0, "without noise, the same"), (right, 1.0, r"with noise, $\sigma=1$")):
        densities(axes, both, sigma)
        axes.set_title(title, loc="left")
    left.set_ylabel("density")
    label(left, 0.55, 0.7, "tilted\ndata", DARK, ha="right")
    label(right, 2.35, 0.42, "guided", BRIGHT)
    label(right, -0.1, 0.27, "tilted,\nthen noised", DARK, ha="right")
    paths(below, both)
    return figure


def paths(axes: Axes, both: Guidance) -> None:
    """The law that the tilted data have at every level, and points on their way along the guided score."""
    mean, variance = np.transpose([both.tilted(sigma) for sigma in GRID.noises])
    edges = mean[:, None] + np.sqrt(variance)[:, None] * AWAY[[0, -1]]
    axes.fill_between(GRID.noises, *edges.T, color=PALE, alpha=0.6, lw=0)
    axes.plot(GRID.noises, edges, color=DARK, lw=1.5)
    axes.plot(GRID.noises, both.flow(both.guided), color=BRIGHT, lw=1.2)
    axes.set(xlim=(GRID.noises[0], 0), xlabel=r"noise $\sigma$, which is taken away to the right", ylabel="u")
    axes.set_title("sampling from the right law along the guided score", loc="left")
    label(axes, 0.05, 5.6, "tilted, then noised:\nmean ± 2 standard deviations", DARK, ha="right")
    label(axes, 0.05, -2.4, "guided paths\nend too close together", BRIGHT, ha="right")


def densities(axes: Axes, both: Guidance, sigma: float) -> None:
    """Both laws at this level."""
    u = np.linspace(-2.5, 4.5, 301)
    tilted = normal(u, *both.tilted(sigma))
    axes.fill_between(u, tilted, color=PALE, alpha=0.6, lw=0)
    axes.plot(u, tilted, color=DARK, lw=1.5)
    axes.plot(u, normal(u, *both.guided(sigma)), color=BRIGHT, lw=1.5, ls="--" if not sigma else "-")
    axes.set(xlim=(u[0], u[-1]), ylim=(0, None), xlabel="u")
