"""A step cannot be faster than a copy of its tensors, or than its noise can be made; ours is as fast as one of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.goals import BANDWIDTH, NOISE_AND_BYTES
from noiseproof.figures.drawing import BRIGHT, DARK, GREY

from .labels import SIZE, along, label, stacked
from .measured import DEVICES, Row, millions, row

PANELS = {"cpu": ("small", (1e8, 2e10)), "cuda": ("large", (1e10, 6e11))}  # sizes that show limits, and what is seen
BESIDE: dict[str, dict[str, Any]] = {  # where names stand, from their points
    "ours": {"xytext": (0, -9), "ha": "center", "va": "top"},
    "torch, in place": {"xytext": (-8, -2), "ha": "right", "va": "center"},
    "torch, as written": {"xytext": (4, -8), "ha": "right", "va": "top"},
    "azula": {"xytext": (-7, -3), "ha": "right", "va": "center"},
    "diffusers": {"xytext": (6, -9), "ha": "center", "va": "top"},
}


def roofline() -> Figure:
    """Numbers a second against tensors moved, for a step with noise, one panel for a device."""
    figure, panels = stacked(6.6, (1, 1), sharex=True)
    for axes, (device, (size, seen)) in zip(panels, PANELS.items(), strict=True):
        step = row(device, "step-stochastic", size)
        axes.set(xscale="log", yscale="log", xlim=(2, 40), ylim=seen, ylabel="numbers a second")
        axes.set_xticks([2, 3, 5, 10, 20, 40], ["2", "3", "5", "10", "20", "40"])
        axes.minorticks_off()
        axes.set_title(f"{DEVICES[device]}: a step on {millions(step['elements'])} numbers", loc="left")
        points(axes, step)
    panels[-1].set(xlabel="tensors read and written")
    figure.draw_without_rendering()
    for axes, device in zip(panels, PANELS, strict=True):
        roofs(axes, row(device, "step-stochastic", PANELS[device][0]))
    return figure


def points(axes: Axes, step: Row) -> None:
    """Ours, and the peers of which it is known how much they move."""
    for name, passes in step["passes"].items():
        rate, colour = step["elements"] / step["seconds"][name], DARK if name == "ours" else BRIGHT
        axes.plot(passes, rate, "o", ms=7, color=colour)
        axes.annotate(name, (passes, rate), textcoords="offset points", color=colour, fontsize=SIZE, **BESIDE[name])


def roofs(axes: Axes, step: Row) -> None:
    """What a copy allows; and what the noise does, unless it is made while memory is waited for."""
    moved = 2 * step["elements"] / step["seconds"][BANDWIDTH]  # numbers read and written in a second of copying
    x = np.array(axes.get_xlim())
    axes.plot(x, moved / x, color=GREY, lw=1.2, zorder=0)
    along(axes, lambda passes: moved / passes, 7, f"a copy: {moved * step['bytes_each'] / 1e9:,.0f} GB/s", GREY)
    if step["part_of_floor"][NOISE_AND_BYTES][1] <= 1:
        rate = step["elements"] / step["seconds"][NOISE_AND_BYTES]
        axes.axhline(rate, color=GREY, lw=1.2, zorder=0)
        label(axes, 3.3, 1.1 * rate, "noise first, then three tensors", GREY, va="bottom")
