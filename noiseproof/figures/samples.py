"""What samplers drew, side by side: the ways they went and where they ended, before the law that they should have."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from numerics.solvers.transport import law

from .drawing import BRIGHT, DARK, GREY, PALE, WIDE

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from numerics.worlds import Mixture

    from ..sampling import Outcome, Perfect

SHOWN = 3000  # points of a scatter
FOLLOWED = 12  # ways in the plane
BINS = 80  # of a histogram
PICTURES = 6  # a side, of images
LEVELS = (0.02, 0.2, 0.6)  # of the density, in parts of its largest value


def samples(world: Mixture, outcomes: Sequence[Outcome], best: Perfect, about: str) -> Figure:
    """On the line the paths of each sampler and a histogram, in the plane paths and points, else images.

    ``about`` says what was drawn, and stands above; below it says what the lines and dots are.
    """
    from matplotlib.figure import Figure

    d, count = world.dimension, len(outcomes)
    handles: list[Artist] = []
    if d is None:
        picture = Figure(figsize=(WIDE, 2.6 * count + 1), layout="constrained")
        axes = picture.subplots(count, 2, squeeze=False, width_ratios=(2.6, 1), sharex="col", sharey="row")
        for (paths, _), outcome in zip(axes, outcomes, strict=True):
            paths.set_title(titled(outcome, best), loc="left")
        handles = on_the_line(axes, world, outcomes)
    else:
        columns = min(count, 2)
        rows = -(-count // columns)
        side = WIDE / (columns if count > 1 else 1.6)
        picture = Figure(figsize=(WIDE, rows * (side + 0.2) + 0.8), layout="constrained")
        axes = picture.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flat
        for panel, outcome in zip(axes, outcomes, strict=False):
            panel.set_title(titled(outcome, best), loc="left")
            handles = in_space(panel, world, outcome)
        for empty in axes[count:]:
            empty.set_axis_off()
            axes[count - columns].tick_params(labelbottom=True)  # nothing below has the numbers
    picture.suptitle(about, x=0.01, ha="left", fontsize=9)
    in_a_line = sum(len(str(handle.get_label())) for handle in handles) < 80
    columns = len(handles) if in_a_line else 1
    picture.legend(handles=handles, loc="outside lower left", frameon=False, fontsize=8, ncols=columns)
    return picture


def titled(outcome: Outcome, best: Perfect) -> str:
    """Who drew, and how far from the law it is; beside it how far a perfect sampler of as many draws."""
    from ..sampling import around

    measure = "W₂" if outcome.x.ndim == 1 else "sliced W₂"
    perfect = around(best.distance, best.distance_spread)
    name = fill(outcome.sampler.replace(",", ", ").replace("  ", " "), 38, break_on_hyphens=False)
    return f"{name}\n{measure} {outcome.distance:.3g} (perfect {perfect})"


def on_the_line(axes: np.ndarray, world: Mixture, outcomes: Sequence[Outcome]) -> list[Artist]:
    """For each the ways over the steps, and how many end where; one scale of shares for all of them."""
    from matplotlib.ticker import MaxNLocator

    most, most_by_law = 0.0, 0.0
    for (paths, ends), outcome in zip(axes, outcomes, strict=True):
        grid, went = outcome.table.grid, ways(outcome)
        paths.plot(np.arange(len(went)), went, color=DARK, lw=0.6, alpha=0.5)
        paths.set(ylabel=f"x{per_size(outcome)}", xlim=(0, len(grid)))
        paths.xaxis.set_major_locator(MaxNLocator(integer=True))
        target = law(world, grid[len(grid)])
        lo, hi = window(target, outcome.x, went)
        part = np.full(len(outcome.x), 1 / len(outcome.x))
        shares, *_ = ends.hist(
            outcome.x,
            bins=BINS,
            range=(lo, hi),
            weights=part,
            orientation="horizontal",
            histtype="stepfilled",
            color=PALE,
        )
        most = max(most, float(np.max(shares)))
        if np.all(target.spread.spectra > 0):
            near = np.add.outer(np.linspace(-5, 5, 101) * np.sqrt(np.max(target.spread.spectra)), target.means)
            x = np.unique(np.clip(np.append(np.linspace(lo, hi, 400), near), lo, hi))
            by_law = target.density(x) * (hi - lo) / BINS
            ends.plot(by_law, x, color=BRIGHT, lw=1.2)
            most_by_law = max(most_by_law, float(np.max(by_law)))
        else:
            for mean in target.means:
                ends.axhline(mean, color=BRIGHT, lw=1.2)
        ends.set(xticks=[], ylim=(lo, hi))
        ends.spines["bottom"].set_visible(False)
    axes[0, 1].set_title("where they end", loc="left")
    # A law that is far more peaked than all that was drawn runs off the edge, or it would hide what was drawn.
    axes[0, 1].set(xlim=(0, 1.05 * max(most, min(most_by_law, 2 * most))))
    axes[-1, 0].set(xlabel="step")
    return [
        line(DARK, ways_are(outcomes[0])),
        bar(f"share of all draws in each of {BINS} bins"),
        line(BRIGHT, "the law they should have"),
    ]


def ways(outcome: Outcome) -> np.ndarray:
    """Some ways, in units where variance is preserved."""
    return outcome.ways / sizes(outcome).reshape(-1, *[1] * (outcome.ways.ndim - 1))


def sizes(outcome: Outcome) -> np.ndarray:
    return np.hypot(outcome.table.grid.scales, outcome.table.grid.noises)


def per_size(outcome: Outcome) -> str:
    """What x is divided by where the grid does not preserve variance."""
    return "" if np.allclose(sizes(outcome), 1, rtol=1e-9) else " / √(a² + b²)"


def ways_are(outcome: Outcome, shown: int | None = None) -> str:
    """The words for the ways, with what a and b are if they are rescaled."""
    count = min(shown or outcome.ways.shape[1], outcome.ways.shape[1])
    rescaled = f", as x{scale} where x = a x₀ + b ε" if (scale := per_size(outcome)) else ""
    return f"{count} of the ways{rescaled}"


def window(target: Mixture, x: np.ndarray, went: np.ndarray) -> tuple[float, float]:
    """Where nearly all ends are, the law, and all ways that are shown; far outliers of the ends are left out."""
    reach = 4 * np.sqrt(np.max(target.variances)) + 0.1
    lo, hi = np.quantile(x, [0.002, 0.998])
    return (
        float(min(np.min(target.means) - reach, lo, np.min(went))),
        float(max(np.max(target.means) + reach, hi, np.max(went))),
    )


def in_space(axes: Axes, world: Mixture, outcome: Outcome) -> list[Artist]:
    """The draws in a plane, or as images where the number of coordinates is a square; what is what is returned."""
    d = world.dimension
    assert d is not None
    side = int(np.sqrt(d))
    if d > 2 and side * side == d:
        as_images(axes, outcome, side)
        return [blank(f"the first {min(PICTURES**2, len(outcome.x))} draws")]
    axes.scatter(*outcome.x[:SHOWN, :2].T, s=2, lw=0, color=DARK, alpha=0.4, rasterized=True)
    shown = min(SHOWN, len(outcome.x))
    handles = [dot(f"{shown:,} of the draws" if shown < len(outcome.x) else "the draws")]
    if d == 2:
        return handles + in_the_plane(axes, world, outcome)
    axes.set(aspect="equal")
    axes.set(xlabel="the first coordinate", ylabel="the second")
    return handles


def in_the_plane(axes: Axes, world: Mixture, outcome: Outcome) -> list[Artist]:
    """Some of the ways to the points, and the levels of the density."""
    grid = outcome.table.grid
    axes.plot(*np.moveaxis(ways(outcome)[:, :FOLLOWED], -1, 0), color=BRIGHT, lw=0.6, alpha=0.7)
    handles = [line(BRIGHT, ways_are(outcome, FOLLOWED))]
    target = law(world, grid[len(grid)])
    reach = 1.3 * np.max(np.abs(target.means)) + 3 * np.sqrt(np.max(target.spread.spectra)) + 0.2
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    if (outside := np.mean(np.any(np.abs(outcome.x) > reach, axis=1))) > 0.01:
        axes.set_xlabel(f"{outside:.0%} of the draws lie outside")
    if np.all(target.spread.spectra > 0):
        x = np.linspace(-reach, reach, 161)
        density = target.density(np.stack(np.meshgrid(x, x), axis=-1))
        axes.contour(x, x, density, levels=np.max(density) * np.array(LEVELS), colors=GREY, linewidths=0.7)
        parts = ", ".join(f"{100 * level:g}" for level in LEVELS)
        handles.append(line(GREY, f"density of the law: {parts} % of its peak"))
    return handles


def as_images(axes: Axes, outcome: Outcome, side: int) -> None:
    """The first draws as images, a grid of them."""
    few = outcome.x[: PICTURES**2]
    sheet = np.full((PICTURES * (side + 1) - 1,) * 2, np.nan)
    for k, image in enumerate(few):
        row, column = divmod(k, PICTURES)
        corner = row * (side + 1), column * (side + 1)
        sheet[corner[0] : corner[0] + side, corner[1] : corner[1] + side] = image.reshape(side, side)
    axes.imshow(sheet, cmap="gray_r", vmin=-1, vmax=1)
    axes.set_axis_off()


# ---------------------------------------------------------------- entries of the legend


def line(colour: str, words: str) -> Artist:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, lw=1.2, label=words)


def blank(words: str) -> Artist:
    from matplotlib.lines import Line2D

    return Line2D([], [], ls="", label=words)


def dot(words: str) -> Artist:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=DARK, ls="", marker="o", ms=2.5, label=words)


def bar(words: str) -> Artist:
    from matplotlib.patches import Patch

    return Patch(color=PALE, label=words)
