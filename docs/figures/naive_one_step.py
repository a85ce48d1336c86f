"""One step back, at one x_t: the naive kernel is the likelihood alone; times the prior it is Bayes' posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from noiseproof import claim
from noiseproof.figures.drawing import WIDE, label
from numerics.compiled import formulas
from numerics.schedules import Step
from numerics.worlds import mixture, normal

from .colours import EXACT, GREY, NAIVE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DATA = mixture([0.3, 0.7], [-1.0, 1.2], [0.06, 0.1])  # README's
STEP, X_T = Step(alpha=0.7, alpha_bar_prev=0.9), 0.1
REACH = 2.9  # of x_{t-1}


def naive_one_step() -> Figure:
    """Three rows: the prior, times the likelihood, is the posterior."""
    flat, bayes = (formulas(claim(f"reversal.{name}")) for name in ("naive-is-flat-prior", "bayes-kernel"))
    prior, marginal = DATA.marginal(STEP.alpha_bar_prev), DATA.marginal(STEP.alpha_bar)
    x, at = np.linspace(-REACH, REACH, 465), {"alpha": STEP.alpha, "x_t": X_T}
    middle, spread = float(flat["mean"](**at)), float(flat["variance"](**at))
    naive = normal(x, middle, spread)
    product = naive * bayes["factor"](prior=prior, marginal=marginal, x_prev=x, **at)
    exact = DATA.reverse_kernel(STEP, X_T)

    picture = Figure(figsize=(WIDE, 5.8), layout="constrained")
    above, between, below = picture.subplots(3, 1, sharex=True, sharey=True)
    for axes, density, colour in ((above, prior(x), GREY), (between, naive, NAIVE), (below, exact(x), EXACT)):
        axes.fill_between(x, density, color=colour, alpha=0.15, lw=0)
        axes.plot(x, density, color=colour, lw=1.6)
        axes.axvline(middle, color=GREY, lw=0.8, ls=":", zorder=0)
        axes.spines["left"].set_visible(False)
    below.plot(x, naive, color=NAIVE, lw=1.2, ls="--")
    seen = [k for k in range(0, len(x), 12) if product[k] > 0.002]
    below.plot(x[seen], product[seen], "o", ms=4, mfc="white", color=EXACT)
    below.set(xlim=(-REACH, REACH), ylim=(0, 0.92), yticks=[], xlabel="$x_{t-1}$")

    for axes, sign in ((between, "×"), (below, "∝")):
        axes.text(-REACH, 0.98, sign, fontsize=20, ha="left", va="top", transform=axes.get_xaxis_transform())
    name(above, "prior", "$q_{t-1}(x_{t-1})$:\nwhich $x_{t-1}$ there were", GREY)
    name(between, "likelihood", "of $x_t$, normalised:\nthe naive kernel", NAIVE)
    name(below, "posterior", "$q(x_{t-1}\\mid x_t)$:\nthe exact kernel", EXACT)
    label(above, REACH, 0.83, rf"at $\beta_t={STEP.beta:.1f}$, $x_t={X_T}$", ha="right")
    label(between, 1.3, 0.56, r"$\mathcal{N}(x_t/\sqrt{\alpha_t},\ \beta_t/\alpha_t)$", NAIVE)
    label(between, middle + 0.08, 0.8, r"$x_t/\sqrt{\alpha_t}$", GREY)
    label(below, 0.0, 0.7, "naive", NAIVE, ha="right")
    label(below, 1.45, 0.72, "dots: prior × likelihood,\ndivided by $q_t(x_t)$", EXACT)
    label(below, 1.45, 0.48, "line: in closed form", EXACT)
    return picture


def name(axes: Axes, word: str, more: str, colour: str) -> None:
    """What a row shows, on its left."""
    label(axes, -REACH + 0.4, 0.83, word, colour, weight="bold")
    label(axes, -REACH + 0.4, 0.78, more, colour, va="top")
