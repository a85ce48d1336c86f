"""How many times as long as ours peers take: many times, except for small steps that a GPU is handed one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.goals import AZULA, COMPILED, DIFFUSERS, GEMM, IN_PLACE
from noiseproof.figures.drawing import BRIGHT, DARK, GREY, WIDE

from .labels import label
from .measured import DEVICES, row

STEPS = {IN_PLACE: IN_PLACE, COMPILED: COMPILED, AZULA: AZULA, DIFFUSERS: DIFFUSERS}
CHAIN = {COMPILED: COMPILED, GEMM: GEMM, AZULA: AZULA, DIFFUSERS: DIFFUSERS}
FIRST = {"diffusers, DPM++ 2M": "diffusers, dpmpp-2m", "torch, DDIM": "torch, ddim", "azula, DDIM": "azula, ddim"}


class Group(NamedTuple):
    """A workload under its title: its size on each device, and the peers, as here and as in the results."""

    title: str
    workload: str
    sizes: Mapping[str, str]
    peers: Mapping[str, str]


BOTH = {"cpu": "small", "cuda": "small"}
GROUPS = (
    Group("a step without noise, 0.8 million numbers", "step-deterministic", BOTH, STEPS),
    Group("a step with noise, 0.8 million numbers", "step-stochastic", BOTH, STEPS),
    Group("a step with noise, 67 million numbers", "step-stochastic", {"cuda": "large"}, STEPS),
    Group("a chain of 20 steps, for a mixture of 8 clusters", "chain-2-8", {"cpu": "small", "cuda": "large"}, CHAIN),
    Group(r"samples within $W_2=0.05$ of the law", "time-to-accuracy", dict.fromkeys(BOTH, "W2 0.05"), FIRST),
)


class Bar(NamedTuple):
    """How many times as long as ours: the first decile, the median, the last; None if it was not measured."""

    y: float
    ratio: tuple[float, float, float] | None


def bars(device: str) -> Iterator[Bar]:
    """One for each peer, from above; a group is one line and a half apart."""
    y = 0.0
    for group in GROUPS:
        y -= 1.7
        ratios = row(device, group.workload, group.sizes[device])["ratio"] if device in group.sizes else {}
        for peer in group.peers.values():
            yield Bar(y, tuple(ratios[peer]) if ratios else None)
            y -= 1


def peer_bars() -> Figure:
    """A column for each device; dark where ours is faster."""
    figure = Figure(figsize=(WIDE, 6.6), layout="constrained")
    columns = figure.subplots(1, len(DEVICES), sharey=True)
    for axes, device in zip(columns, DEVICES, strict=True):
        for bar in bars(device):
            drawn(axes, bar)
        axes.set(xscale="log", xlim=(0.25, 1500), ylim=(min(b.y for b in bars(device)) - 0.7, 0))
        axes.set_xticks([1, 10, 100], ["1", "10", "100"])
        axes.minorticks_off()
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_title(DEVICES[device], loc="left")
        axes.set_xlabel("times as long as ours")
    named(columns[0])
    return figure


def named(axes: Axes) -> None:
    """The peers on the left, and the titles of the groups."""
    names = [name for group in GROUPS for name in group.peers]
    places = [bar.y for bar in bars("cpu")]
    axes.set_yticks(places, names)
    above = 0
    for group in GROUPS:
        place = {"xytext": (-112, 0), "xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        axes.annotate(group.title, (0, places[above] + 0.95), **place, fontsize=10, va="center", weight="bold")
        above += len(group.peers)


def drawn(axes: Axes, bar: Bar) -> None:
    """The median and, as a line, the deciles."""
    if bar.ratio is None:
        label(axes, 1, bar.y, "–", GREY)
        return
    low, median, high = bar.ratio
    axes.plot([1, 1], [bar.y - 0.5, bar.y + 0.5], color=GREY, lw=1)
    axes.barh(bar.y, median - 1, left=1, height=0.72, color=DARK if median > 1 else BRIGHT)
    axes.plot([low, high], [bar.y, bar.y], color=GREY, lw=1)
    words = f"{median:.0f}" if median >= 20 else f"{median:.2g}"
    label(axes, 1.12 * max(high, 1), bar.y, words, DARK if median > 1 else BRIGHT)
