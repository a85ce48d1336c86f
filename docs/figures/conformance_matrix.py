"""What holds of the samplers of diffusers, as they come: every sampler by every property."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noiseproof.conformance.properties import properties
from noiseproof.figures.drawing import BRIGHT, DARK, GREY, PALE, WIDE

from .labels import SIZE, label

RESULT = Path(__file__).parents[1] / "findings" / "diffusers.json"
PASS, NOTE, KNOWN, SKIP = "PASS", "NOTE", "FAIL", "SKIP"
MEANING = {PASS: "hold", NOTE: "noted", KNOWN: "fail: findings", SKIP: "not asked"}


class Matrix(NamedTuple):
    """Verdicts by sampler and property; the samplers that are driven in another way are left out."""

    verdicts: dict[str, dict[str, str]]
    left_out: tuple[str, ...]

    def counts(self) -> Counter[str]:
        return Counter(verdict for row in self.verdicts.values() for verdict in row.values())


@cache
def matrix() -> Matrix:
    """The samplers with the options that they have by default.

    Raises ValueError for a failure that no page of the findings explains.
    """
    found, left_out = {}, []
    for target in json.loads(RESULT.read_text(encoding="utf-8"))["targets"]:
        name = target["target"].removeprefix("diffusers:").removesuffix("Scheduler")
        if target["options"]:
            continue
        if target["properties"]:
            found[name] = {id: verdict(name, id, of) for id, of in target["properties"].items()}
        else:
            left_out.append(name)
    return Matrix(found, tuple(left_out))


def verdict(sampler: str, id: str, of: Any) -> str:
    """In a word."""
    if isinstance(of, str):
        return of
    if of["verdict"] != NOTE and "known" not in of:
        raise ValueError(f"{sampler}, {id}: {of['verdict']}, and no page of the findings says why")
    return NOTE if of["verdict"] == NOTE else KNOWN


def conformance_matrix() -> Figure:
    """A square for each sampler and property; below, what the squares mean and how many there are."""
    found = matrix()
    across, down = len(properties()), len(found.verdicts)
    figure = Figure(figsize=(WIDE, 8.2), layout="constrained")
    axes = figure.subplots()
    axes.set(xlim=(-0.6, across - 0.4), ylim=(down + 1.4, -0.6), aspect="equal")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=2, labelsize=SIZE - 0.5)
    axes.xaxis.tick_top()
    axes.set_xticks(range(across), [f"{property.id} {property.name}" for property in properties()], rotation=90)
    axes.set_yticks(range(down), found.verdicts)
    for kind in MEANING:
        places = [
            (x, y)
            for y, row in enumerate(found.verdicts.values())
            for x, property in enumerate(properties())
            if row[property.id] == kind
        ]
        marked(axes, kind, places)
    key(axes, found.counts(), down + 0.9)
    return figure


def marked(axes: Axes, kind: str, places: Sequence[tuple[float, float]]) -> None:
    """Squares where something was asked, and a dot in those that are noted."""
    x, y = zip(*places, strict=True)
    bare = {"ls": "", "mew": 0, "clip_on": False}
    if kind == SKIP:
        axes.plot(x, y, marker="o", ms=1.2, color=GREY, **bare)
    else:
        axes.plot(x, y, marker="s", ms=9, color=BRIGHT if kind == KNOWN else PALE, **bare)
    if kind == NOTE:
        axes.plot(x, y, marker="o", ms=4.5, color=DARK, **bare)


def key(axes: Axes, counts: Counter[str], y: float) -> None:
    """What the squares mean, and their number."""
    for (kind, words), x in zip(MEANING.items(), (-6.5, -0.2, 7, 16.5), strict=True):
        marked(axes, kind, [(x, y)])
        label(axes, x + 0.8, y, f"{counts[kind]} {words}")
