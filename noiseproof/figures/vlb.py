"""What the simple loss lands on: the mean of the noise given x_t; what it leaves is the variance around the mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from numerics.checks.vlb.matching import given
from numerics.compiled import formulas
from numerics.statistics import stream

from ..choosing import claim
from .drawing import BRIGHT, DARK, GREY, WIDE, Drawing, label, table, training

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

Array = np.ndarray

TIMES = 1, 3, 5  # looked at
SHOWN, FRESH = 500, 2**19  # draws


class Seen(NamedTuple):
    """One time: draws of x_t and of the noise in it, the mean of the noise given x_t, and the losses."""

    alpha_bar: float
    draws: tuple[Array, Array]
    x_t: Array
    exact: Array
    trained: Array
    least: float
    reached: float
    error: float  # standard, of the loss reached


def simple_loss_minimiser() -> Drawing:
    """The trained denoiser on the exact mean of the noise, and its loss on the least one."""
    from models.denoiser import train
    from models.diffusion import T, noisy

    times = range(1, T + 1)
    with training("denoiser") as progress:
        denoiser = train([noisy(t) for t in times], stream(0, "diffusion", "training", 0), progress=progress)
    found = [seen(t, lambda x_t, t=t: denoiser.predict(x_t, t).whole) for t in times]
    return Drawing(figure(found), numbers(found))


def seen(t: int, predict: Callable[[Array], Array]) -> Seen:
    """What the formulas say at a time, and what this says of the noise in x_t."""
    from models.diffusion import SCHEDULE, WORLD, draws

    known, step, x_t = formulas(claim("vlb.simple-loss-minimiser")), SCHEDULE.step(t), np.linspace(-3.2, 3.6, 137)
    at = given(WORLD, step, x_t=x_t)
    fresh, noise = draws("whole", t)(stream(0, "vlb.simple-loss-minimiser", f"figure, t = {t}", 0), FRESH)
    squares = (noise - predict(fresh)) ** 2
    return Seen(
        float(step.alpha_bar),
        (fresh[:SHOWN], noise[:SHOWN]),
        x_t,
        known["minimiser"](**at),
        predict(x_t),
        float(known["floor"](**at)),
        float(squares.mean()),
        float(squares.std() / np.sqrt(FRESH)),
    )


def figure(found: list[Seen]) -> Figure:
    """Above the mean of the noise at some times, below the losses at all of them."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(WIDE, 4.9), layout="constrained")
    *some, below = picture.subplot_mosaic("abc\nlll", height_ratios=(1.25, 1)).values()
    for axes, t in zip(some, TIMES):
        at = found[t - 1]
        axes.plot(*at.draws, ".", ms=3, mew=0, color=GREY, alpha=0.5)
        axes.plot(at.x_t, at.exact, color="black", lw=1.4)
        axes.plot(at.x_t, at.trained, ls="", marker="o", ms=4, mfc="white", color=BRIGHT, markevery=6)
        axes.set(xlabel="$x_t$", xlim=(at.x_t[0], at.x_t[-1]), ylim=(-3.2, 3.2))
        axes.set_title(rf"$t={t},\ \bar\alpha_t={at.alpha_bar:.2f}$")
    some[0].set_ylabel("noise in $x_t$")
    for axes in some[1:]:
        axes.tick_params(labelleft=False)
    for k, (words, colour) in enumerate((("draws", GREY), ("mean given $x_t$", "black"), ("trained", BRIGHT))):
        label(some[-1], 3.4, -1.75 - 0.5 * k, words, colour, ha="right")
    times = np.arange(1, len(found) + 1)
    below.bar(times, [at.least for at in found], width=0.5, color=DARK, alpha=0.25)
    below.plot(times, [at.reached for at in found], ls="", marker="o", ms=5, mfc="white", color=BRIGHT)
    below.axhline(1, color="black", lw=1)
    below.set(xlabel="t", ylabel="mean square error", ylim=(0, 1.15), xticks=times)
    label(below, times[-1] + 0.25, 1.06, "predicting 0: the variance of the noise", ha="right")
    label(below, 2.3, 0.79, "least possible: E Var[noise | $x_t$]", DARK)
    label(below, 4.1, 0.48, "trained denoiser", BRIGHT)
    return picture


def numbers(found: list[Seen]) -> RenderableType:
    """Time by time."""
    rows = []
    for t, at in enumerate(found, 1):
        farthest = np.max(np.abs(at.trained - at.exact)[np.abs(at.x_t) < 2])
        reached = f"{at.reached:.4f} ± {at.error:.4f}"
        rows.append([str(t), f"{at.alpha_bar:.4f}", f"{at.least:.4f}", reached, f"{farthest:.3f}"])
    heads = ["t", "ᾱ_t", "least loss", "loss reached", "farthest from the\nmean, |x_t| < 2"]
    return table(heads, rows, f"The loss reached is an average of {FRESH:,} fresh draws, ± its standard error.")
