"""Samplers come closer to the exact law as their steps shrink, each at the order that its method has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noiseproof.figures.drawing import BRIGHT, DARK

from .labels import label, stacked

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "orders.json"
COLOURS = {1: BRIGHT, 2: DARK, 3: "black"}  # by the order that a method has
PATHS, LAWS = "two clusters", "standard deviation"  # what a method without draws is held to, and one that draws
BESIDE = {"ddpm": "bottom", "euler-maruyama": "top"}  # names that would meet


class Line(NamedTuple):
    """Methods with the same errors: one sampler under several names."""

    names: tuple[str, ...]
    declared: int
    steps: tuple[int, ...]
    errors: tuple[float, ...]
    order: float  # between the last two

    def words(self) -> str:
        some = ",\n".join(", ".join(self.names[k : k + 2]) for k in range(0, len(self.names), 2))
        return f"{some}: {self.order:.2f}"


def lines(of: str) -> list[Line]:
    """The errors of all methods that were held to this, those that agree in all but rounding together."""
    found: list[Line] = []
    for line in measured(of):
        same = [k for k, other in enumerate(found) if np.allclose(line.errors, other.errors, rtol=1e-6, atol=0)]
        for k in same:
            line = line._replace(names=found[k].names + line.names)
            del found[k]
        found.append(line)
    return found


def measured(of: str) -> Iterator[Line]:
    """Each method for itself."""
    for entry in json.loads(RESULT.read_text(encoding="utf-8"))["methods"]:
        if seen := entry["observed"].get(of):
            names, declared = (entry["method"],), entry["declared"]
            yield Line(names, declared, tuple(seen["steps"]), tuple(seen["errors"]), seen["orders"][-1])


def orders() -> Figure:
    """Above the samplers that draw nothing, below those that do."""
    figure, (above, below) = stacked(6.8, (1.25, 1))
    errors(above, PATHS)
    above.set(xlim=(21, 500), ylim=(8e-7, 0.15), ylabel="distance from the exact end")
    above.set_title("samplers that draw nothing; the number is the order seen", loc="left")
    errors(below, LAWS)
    below.set(xlim=(84, 2000), ylim=(5e-6, 0.04), ylabel="error", xlabel="steps")
    below.set_title("samplers that draw: the standard deviation of what comes out", loc="left")
    return figure


def errors(axes: Axes, of: str) -> None:
    """A line for each sampler, and its names and its order at the end."""
    axes.set(xscale="log", yscale="log")
    for line in lines(of):
        colour = COLOURS[line.declared]
        axes.plot(line.steps, line.errors, "o-", color=colour, lw=1.4, ms=5)
        height = BESIDE.get(line.names[0], "center")
        label(axes, 1.08 * line.steps[-1], line.errors[-1], line.words(), colour, va=height)
        axes.set_xticks(line.steps, map(str, line.steps))
    axes.minorticks_off()
