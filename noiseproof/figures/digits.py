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
from .drawing import BRIGHT, DARK, GREEN, GREY, WIDE, Drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 3  # particles of every chain
COLOURS = {"exact": DARK, "Gaussian": GREEN, "naive": BRIGHT}
ON_TERMINAL = {"exact": "blue", "Gaussian": "green", "naive": "red"}
MEANING = {"exact": "Bayes' posterior", "Gaussian": "exact moments", "naive": "rearranged, fresh noise"}


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
    """A row of digits for every chain, time running down to the right."""
    from matplotlib.figure import Figure

    strips = [c for c in found.chains if c.name != "naive" or c.steps == found.T]
    times = sorted(set.intersection(*(set(c.frames) for c in strips)), reverse=True)
    picture = Figure(figsize=(WIDE, 0.68 * len(strips) + 0.75))
    inch, wide = 1 / picture.get_figheight(), 1 / len(times)
    for down, strip in enumerate(strips):
        top = 1 - (0.34 + 0.68 * down) * inch
        words(picture, strip, top, found.last_of_few)
        for along, t in enumerate(times):
            axes = picture.add_axes((along * wide, top - 0.45 * inch, 0.9 * wide, 0.32 * inch))
            axes.axis("off")
            axes.imshow(side_by_side(strip.frames[t][:SHOWN]), cmap="gray_r", vmin=-1, vmax=1, interpolation="none")
            if not down:
                picture.text((along + 0.45) * wide, 1 - 0.02 * inch, f"t = {t}", ha="center", va="top")
            if strip.name == "naive":
                spread = np.sqrt(np.mean(np.var(strip.frames[t], axis=0)))
                below = top - 0.5 * inch
                picture.text((along + 0.45) * wide, below, f"± {spread:.3g}", color=GREY, ha="center", va="top")
    scale = "±: standard deviation of the pixels; no ink at −1, full at 1"
    picture.text(0, 0.04 * inch, scale, color=GREY, va="bottom")
    return picture


def words(picture: Figure, strip: Outcome, height: float, last: int) -> None:
    """What a strip shows, above it."""
    title, lost = f"{strip.name}, {strip.steps} steps", strip.divergence_few
    picture.text(0, height, title, color=COLOURS[strip.name], weight="bold", va="center")
    picture.text(0.33, height, MEANING[strip.name], color=GREY, va="center")
    if lost is not None and lost.value:
        price = f"KL {number(lost)} nats, to $x_{{{last}}}$"
        picture.text(0.99, height, price, color=COLOURS[strip.name], ha="right", va="center")


def side_by_side(particles: np.ndarray) -> np.ma.MaskedArray:
    """Digits in a row, a pixel of nothing between them."""
    gap = np.full((SIDE, 1), np.nan)
    parts = [part for x in particles for part in (x.reshape(SIDE, SIDE), gap)]
    return np.ma.masked_invalid(np.concatenate(parts[:-1], axis=1))
