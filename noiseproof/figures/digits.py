"""The reversal chapter on handwritten digits, for the eye: a strip of pictures for every chain, and a table."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console, Group
from rich.text import Text

from numerics.solvers.digits import Estimate, Experiment, Outcome
from numerics.solvers.digits import experiment as run
from numerics.worlds.digits import SIDE
from numerics.worlds.digits import digits as data

from ..tables import grid
from .drawing import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 3  # particles of every chain
COLOURS = {"exact": "#2b6cb0", "Gaussian": "#8f6400", "naive": "#c0392b"}  # told apart by lightness, too
ON_TERMINAL = {"exact": "blue", "Gaussian": "yellow", "naive": "red"}
MEANING = {"exact": "Bayes' posterior", "Gaussian": "exact moments", "naive": "rearranged, fresh noise"}
GREY = "#5f6670"


def empirical_kernel() -> Drawing:
    """Three chains over the handwritten digits."""
    found = experiment()
    return Drawing(figure(found), table(found))


def experiment(**options: Any) -> Experiment:
    """The chains, with a bar or a line for each on stderr while they run."""
    return run(data(), watch=watched, **options)


def watched(path: Iterator[Any], name: str, steps: int) -> Iterator[Any]:
    """The same steps, shown in passing."""
    if sys.stderr.isatty():
        from rich.progress import track

        label = f"{name:<14} {steps:>4} steps"
        yield from track(path, label, steps, console=Console(stderr=True), transient=True)
    else:
        yield from path
        print(f"{name}, {steps} steps: done", file=sys.stderr, flush=True)


# ---------------------------------------------------------------- the numbers


def heads(found: Experiment) -> list[str]:
    return [
        "chain",
        "steps",
        "variance\nper pixel",
        "sliced W₂\nto the data",
        "nearest\ndigit",
        f"KL, nats,\ndown to x_{found.last_of_few}",
        "KL, nats,\ndown to x_1",
    ]


def rows(found: Experiment) -> list[list[str]]:
    """What the table says, cell by cell: the data, a perfect sampler, the chains."""
    names = {"data": "the digits", "redrawn": "drawn anew"}
    return [
        [
            names.get(o.name, o.name),
            str(o.steps or ""),
            number(o.variance),
            number(o.sliced_w2),
            number(Estimate(o.nearest)),
            number(o.divergence_few),
            number(o.divergence),
        ]
        for o in (found.data, found.redrawn, *found.chains)
    ]


def number(of: Estimate | None) -> str:
    """Three digits, or as many as its standard error leaves."""
    if of is None:
        return ""
    if abs(of.value) < 1e-9 and not of.error:  # a distance to a point that rounding alone has moved
        return "0"
    places = decimals(of.error) if of.error else decimals(of.value) + 2
    places = max(0, min(places, 4 if of.error else 3))
    return f"{of.value:,.{places}f}" + (f" ± {of.error:.{places}f}" if of.error else "")


def decimals(x: float) -> int:
    """At which decimal x begins; none or fewer from 1 on."""
    return -int(np.floor(np.log10(abs(x))))


def notes(found: Experiment) -> list[str]:
    """How to read the table."""
    particles, predicted = len(found.chains[0].frames[0]), number(found.naive_variance)
    return [
        f"Drawn anew: {particles} of the digits, as a perfect sampler gives them; ± is the standard error of as many "
        f"draws.  All chains start from the same x_{found.T}.",
        "Gaussian: with the mean and the full covariance of the exact kernel.  "
        f"Naive: the variance should be v_0 + 2(1/ᾱ_T − 1) = {predicted}.",
        "Nearest digit: the median distance to the data set (for the digits themselves, to another one).  At 0 a chain "
        "gives back the data: it has memorised them.",
        f"KL: of the exact chain from this one, summed over the steps down to x_{found.last_of_few} and x_1.  Down to "
        "x_0 it is infinite: a data set has no density.",
    ]


def table(found: Experiment) -> Group:
    """The numbers on the terminal."""
    shown = grid()
    for k, head in enumerate(heads(found)):
        shown.add_column(head, justify="right" if k else "left", vertical="bottom", no_wrap=head in ("steps", "chain"))
    for row in rows(found):
        shown.add_row(Text(row[0], ON_TERMINAL.get(row[0], "")), *row[1:])
    return Group(shown, *(Text(note, "dim") for note in notes(found)))


# ---------------------------------------------------------------- the picture


def figure(found: Experiment) -> Figure:
    """A row of digits for every chain, time running down to the right, and the table below."""
    from matplotlib.figure import Figure

    strips = [c for c in found.chains if c.steps == found.T or c.name == "Gaussian"]
    times = sorted(strips[0].frames, reverse=True)
    picture = Figure(figsize=(10.4, 5.6))
    left, top, wide, high, below = 0.156, 0.953, 0.1052, 0.066, 0.0
    for down, strip in enumerate(strips):
        below = top - (down + 1) * high - 0.036 * down
        words(picture, strip, below + high / 2)
        for along, t in enumerate(times):
            axes = picture.add_axes((left + along * wide, below, wide - 0.009, high))
            axes.axis("off")
            if t in strip.frames:
                axes.imshow(side_by_side(strip.frames[t][:SHOWN]), cmap="gray_r", vmin=-1, vmax=1)
            if not down:
                axes.set_title(f"t = {t}", fontsize=9, pad=5)
            if strip.name == "naive":
                spread = np.sqrt(np.mean(np.var(strip.frames[t], axis=0)))
                axes.text(0.5, -0.1, f"± {spread:.3g}", color=GREY, ha="center", va="top", transform=axes.transAxes)
    scale = "± standard deviation of the pixels; ink ends at white (−1) and black (1)"
    picture.text(0.988, below - 0.065, scale, color=GREY, fontsize=7.5, ha="right", va="center")
    written_out(picture.add_axes((0.012, 0.0, 0.976, 0.5)), found)
    return picture


def words(picture: Figure, strip: Outcome, height: float) -> None:
    """What a strip shows, on its left."""
    title = f"{strip.name}, {strip.steps} steps"
    picture.text(0.012, height + 0.018, title, color=COLOURS[strip.name], weight="bold", fontsize=8.5, va="center")
    picture.text(0.012, height - 0.018, MEANING[strip.name], color=GREY, va="center", fontsize=8)


def side_by_side(particles: np.ndarray) -> np.ma.MaskedArray:
    """Digits in a row, a pixel of nothing between them."""
    gap = np.full((SIDE, 1), np.nan)
    parts = [part for x in particles for part in (x.reshape(SIDE, SIDE), gap)]
    return np.ma.masked_invalid(np.concatenate(parts[:-1], axis=1))


def written_out(axes: Axes, found: Experiment) -> None:
    """The table and its notes, in letters."""
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    edges = (0.0, 0.2, 0.37, 0.54, 0.64, 0.825, 1.0)  # of the columns, on the right but for the first
    for k, (x, head) in enumerate(zip(edges, heads(found), strict=True)):
        side = "right" if k else "left"
        axes.text(x, 0.86, in_mathematics(head), weight="bold", ha=side, va="bottom", linespacing=1.25)
    axes.plot([0, 1], [0.84, 0.84], color=GREY, lw=0.8)
    for down, row in enumerate(rows(found)):
        y = 0.79 - 0.068 * down
        for k, (x, cell) in enumerate(zip(edges, row, strict=True)):
            colour = COLOURS.get(row[0], "black") if not k else "black"
            axes.text(x, y, cell, color=colour, ha="right" if k else "left", va="center")
    for down, note in enumerate(notes(found)):
        axes.text(0, 0.215 - 0.055 * down, in_mathematics(note), fontsize=7.5, color=GREY, va="center")


def in_mathematics(text: str) -> str:
    """x_200 as a page prints it."""
    import re

    return re.sub(r"([xv]|ᾱ)_(\w+)", lambda m: f"${m[1]}_{{{m[2]}}}$".replace("ᾱ", r"\bar\alpha"), text)
