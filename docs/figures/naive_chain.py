"""The exact reverse chain comes back to the data; the naive one, from the same start, explodes."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from noiseproof import claim
from noiseproof.figures.drawing import WIDE, label
from numerics.compiled import formulas
from numerics.schedules import Schedule, linear
from numerics.statistics import stream
from numerics.worlds import Mixture, mixture

from .colours import EXACT, GREY, NAIVE

Array = np.ndarray

DATA = mixture([0.3, 0.7], [-1.0, 1.2], [0.06, 0.1])
PARTICLES, SHOWN = 4000, 12
EVERY = 5  # steps, of the paths
BEYOND = 190  # steps of room on the right


def naive_chain() -> Figure:
    """Above some paths of both chains, below their standard deviations, proved and measured."""
    schedule = linear()
    exact, naive = chains(DATA, schedule, stream(0, "reversal.naive-chain", "figure", 0))
    times = np.arange(schedule.T + 1)
    bars = np.array([1.0, *schedule.alpha_bar(times[1:])])
    variances = DATA.marginal(bars).variance
    added = formulas(claim("reversal.naive-chain"))["added"](alpha_bar_T=bars[-1] / bars)  # on the way from T to t

    picture = Figure(figsize=(WIDE, 6), layout="constrained")
    parts = picture.subplot_mosaic("en\nss", height_ratios=(1, 1.1))
    spreads = parts["s"]
    for part, chain, variance, colour in (("e", exact, variances, EXACT), ("n", naive, variances + added, NAIVE)):
        axes = parts[part]
        axes.plot(times[::EVERY], chain[::EVERY, :SHOWN], color=colour, lw=0.7)
        spreads.plot(times, np.sqrt(variance), color=colour, lw=1.4)
        spreads.plot(times[::50], chain[::50].std(axis=1), "o", ms=4, mfc="white", color=colour)
    for axes, words, colour in ((parts["e"], "Bayes' posterior", EXACT), (parts["n"], "naive inversion", NAIVE)):
        axes.set(xlabel="t, running down", xlim=(schedule.T, -BEYOND), xticks=(1000, 500, 0))
        axes.set_title(words, color=colour, loc="left")
    parts["e"].set(ylabel="$x_t$", ylim=(-3.4, 3.4), yticks=range(-3, 4))
    parts["n"].set(ylim=(-680, 680), yticks=range(-600, 601, 200))
    x = np.linspace(-2.5, 2.5, 201)
    density = DATA(x)
    parts["e"].fill_betweenx(x, -20 - (BEYOND - 20) * density / density.max(), -20, color=GREY, alpha=0.4, lw=0)
    label(parts["e"], -BEYOND, 2.4, "data", GREY, ha="right")

    end = np.sqrt((variances + added)[0])
    spreads.set(yscale="log", xlabel="t, running down", ylabel="standard deviation")
    spreads.set(xlim=(schedule.T + 10, -30), ylim=(0.6, 400), xticks=range(0, 1001, 200))
    spreads.set_yticks([1, 10, 100], ["1", "10", "100"])
    spreads.minorticks_off()
    label(spreads, 640, 70, f"naive: ends at {end:.0f}", NAIVE, ha="right")
    label(spreads, 500, 1.7, "Bayes' posterior: that of $x_t$", EXACT, ha="center")
    label(spreads, 330, 14, f"lines: proved formulas\ndots: {PARTICLES} particles", ha="left")
    return picture


def chains(data: Mixture, schedule: Schedule, rng: np.random.Generator) -> tuple[Array, Array]:
    """Both chains from the same draws of x_T ~ q_T, with the same noise: (T + 1, PARTICLES) each, index 0 the data."""
    exact, naive = np.empty((2, schedule.T + 1, PARTICLES))
    exact[-1] = naive[-1] = data.marginal(schedule.alpha_bar(schedule.T)).sample(rng, PARTICLES)
    for t in range(schedule.T, 0, -1):
        step = schedule.step(t)
        naive[t - 1] = (naive[t] - np.sqrt(step.beta) * rng.standard_normal(PARTICLES)) / np.sqrt(step.alpha)
        exact[t - 1] = data.reverse_kernel(step, exact[t]).sample(rng)
    return exact, naive
