"""Two clusters diffuse: their means shrink, they widen until they are one, and what is left is N(0, 1)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from noiseproof import claim
from noiseproof.figures.drawing import WIDE, label
from numerics.compiled import formulas
from numerics.schedules import linear
from numerics.worlds import normal

from .colours import DARK, GREEN, GREY, INK

CLUSTERS = {"w": 0.3, "mu_1": -1.0, "c_1": 0.06, "mu_2": 1.2, "c_2": 0.1}  # README's data
TIMES = 0, 50, 150, 300, 500, 1000
REACH, APART = 3.2, 0.7  # of x_t, and of the baselines


def forward_marginals() -> Figure:
    """The density of x_t at six times, one below the other."""
    density, schedule = formulas(claim("forward.gmm-marginal"))["density"], linear()
    bars = [1.0, *(float(schedule.alpha_bar(t)) for t in TIMES[1:])]
    picture = Figure(figsize=(WIDE, 5.2), layout="constrained")
    axes = picture.subplots()
    x = np.linspace(-REACH, REACH, 257)
    for down, (t, bar) in enumerate(zip(TIMES, bars)):
        base = -APART * down
        q = density(x_t=x, alpha_bar=bar, **CLUSTERS)
        axes.fill_between(x, base, base + q, color=DARK, alpha=0.15, lw=0)
        axes.plot(x, base + q, color=DARK, lw=1.5)
        axes.axhline(base, color=GREY, lw=0.6)
        label(axes, -REACH - 0.1, base, f"t = {t}", ha="right", va="bottom")
        label(axes, REACH + 0.1, base, rf"$\bar\alpha_t={written(bar)}$", GREY, va="bottom")
    for mean in (CLUSTERS["mu_1"], CLUSTERS["mu_2"]):
        axes.plot(np.sqrt(bars) * mean, -APART * np.arange(len(bars)), "o:", color=INK, ms=3, lw=0.8)
    some, base = x[::8], -APART * (len(bars) - 1)
    axes.plot(some, base + normal(some, 0, 1), "o", mfc="white", color=GREEN, ms=4)
    label(axes, 1.75, base + 0.17, r"$\mathcal{N}(0,1)$", GREEN)
    label(axes, -1.45, 0.42, r"$q_0$, the data", DARK, ha="right")
    label(axes, 0.38, base + 0.55, r"means $\sqrt{\bar\alpha_t}\,\mu_k$")
    axes.set(xlim=(-REACH, REACH), ylim=(base - 0.04, 0.95), xlabel="$x_t$", yticks=[])
    axes.spines["left"].set_visible(False)
    return picture


def written(bar: float) -> str:
    """Two digits, or a power of ten."""
    if bar >= 0.01:
        return f"{bar:.2g}"
    power = int(np.floor(np.log10(bar)))
    return rf"{bar / 10.0**power:.0f}\cdot10^{{{power}}}"
