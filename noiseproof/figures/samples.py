"""What samplers drew, side by side: the ways they went and where they ended, before the law that they should have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from numerics.solvers.transport import law

from .drawing import BRIGHT, DARK, GREY, PALE, WIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from numerics.worlds import Mixture

    from ..sampling import Outcome

SHOWN = 3000  # points of a scatter
PICTURES = 6  # a side, of images


def samples(world: Mixture, outcomes: Sequence[Outcome]) -> Figure:
    """A column for each sampler: on the line its paths and a histogram, in the plane paths and points, else images."""
    from matplotlib.figure import Figure

    d = world.dimension
    if d is None:
        picture = Figure(figsize=(WIDE, 2.7 * len(outcomes)), layout="constrained")
        axes = picture.subplots(len(outcomes), 2, squeeze=False, width_ratios=(2.6, 1), sharey="row")
        for (paths, ends), outcome in zip(axes, outcomes, strict=True):
            on_the_line(paths, ends, world, outcome)
        return picture
    picture = Figure(figsize=(WIDE, WIDE / max(len(outcomes), 1.6) + 0.5), layout="constrained")
    across = picture.subplots(1, len(outcomes), squeeze=False, sharex=True, sharey=True)[0]
    for axes, outcome in zip(across, outcomes, strict=True):
        axes.set_title(titled(outcome), loc="left")
        side = int(np.sqrt(d))
        if d == 2:
            in_the_plane(axes, world, outcome)
        elif side * side == d:
            as_images(axes, outcome, side)
        else:
            scattered(axes, outcome)
            axes.set(xlabel="the first two coordinates", aspect="equal")
    return picture


def titled(outcome: Outcome) -> str:
    return f"{outcome.sampler}, {len(outcome.table.grid)} steps: distance {outcome.distance:.3g}"


def on_the_line(paths: Axes, ends: Axes, world: Mixture, outcome: Outcome) -> None:
    """The ways over the steps, in units where variance is preserved, and the histogram of where they end."""
    from matplotlib.ticker import MaxNLocator

    grid = outcome.table.grid
    paths.plot(np.arange(len(outcome.ways)), ways(outcome), color=DARK, lw=0.6, alpha=0.5)
    paths.set(xlabel="step", ylabel="x", xlim=(0, len(grid)))
    paths.xaxis.set_major_locator(MaxNLocator(integer=True))
    paths.set_title(titled(outcome), loc="left")
    target = law(world, grid[len(grid)])
    lo, hi = window(target, outcome.x)
    ends.hist(outcome.x, bins=80, range=(lo, hi), density=True, orientation="horizontal", color=PALE)
    if np.all(target.spread.spectra > 0):
        x = np.linspace(lo, hi, 400)
        ends.plot(target.density(x), x, color=BRIGHT, lw=1.2)
    else:
        ends.hlines(target.means, 0, ends.get_xlim()[1], color=BRIGHT, lw=1.2)
    ends.set(xticks=[], ylim=(lo, hi))
    ends.set_title("ends, and their law", loc="left")
    ends.spines["bottom"].set_visible(False)


def ways(outcome: Outcome) -> np.ndarray:
    """Some ways, in units where variance is preserved."""
    grid = outcome.table.grid
    sizes = np.hypot(grid.scales, grid.noises)
    return outcome.ways / sizes.reshape(-1, *[1] * (outcome.ways.ndim - 1))


def window(target: Mixture, x: np.ndarray) -> tuple[float, float]:
    """Where nearly all of both is; far outliers are left out."""
    reach = 4 * np.sqrt(np.max(target.variances)) + 0.1
    seen = np.quantile(x, [0.002, 0.998])
    return float(min(np.min(target.means) - reach, seen[0])), float(max(np.max(target.means) + reach, seen[1]))


def in_the_plane(axes: Axes, world: Mixture, outcome: Outcome) -> None:
    """The points, some of the ways to them, and the levels of the density."""
    scattered(axes, outcome)
    grid = outcome.table.grid
    axes.plot(*np.moveaxis(ways(outcome)[:, :12], -1, 0), color=BRIGHT, lw=0.6, alpha=0.7)
    target = law(world, grid[len(grid)])
    reach = 1.3 * np.max(np.abs(target.means)) + 3 * np.sqrt(np.max(target.spread.spectra)) + 0.2
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    if np.all(target.spread.spectra > 0):
        x = np.linspace(-reach, reach, 161)
        density = target.density(np.stack(np.meshgrid(x, x), axis=-1))
        axes.contour(x, x, density, levels=np.max(density) * np.array([0.02, 0.2, 0.6]), colors=GREY, linewidths=0.7)


def scattered(axes: Axes, outcome: Outcome) -> None:
    axes.scatter(*outcome.x[:SHOWN, :2].T, s=2, lw=0, color=DARK, alpha=0.4, rasterized=True)


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
