"""The evidence lower bound against q: how far it stays below log p(x) is how far q is from the posterior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from numerics.compiled import Formula, formulas
from numerics.worlds import normal

from ..choosing import claim
from .drawing import BRIGHT, DARK, WIDE, Drawing, label, table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.console import RenderableType

Array = np.ndarray

MODEL = {"x": 1.3, "mu_0": -0.4, "tau": 1.2, "sigma": 0.8}
NARROW, BROAD, OFF = 0.12, 1.8, 1.7  # variances of q, and a mean that is not the posterior's
LOWEST = -4.2  # nats


class Model(NamedTuple):
    """The Gaussian model of the chapter: log p(x), and the mean and the variance of the posterior."""

    gaussian: Mapping[str, Formula]
    divergence: Formula
    evidence: float
    mean: float
    variance: float

    def bound(self, a: Any, b: Any) -> Array:
        """The bound for q = N(a, b), in closed form."""
        return np.asarray(self.gaussian["bound"](**MODEL, a=a, b=b))

    def gap(self, a: float, b: float) -> float:
        """The divergence of q from the posterior, integrated."""
        q = lambda z, x: normal(z, a, b)
        posterior = lambda z, x: normal(z, self.mean, self.variance)
        with np.errstate(all="ignore"):  # 0 log 0, far out in the tails
            return float(self.divergence(x=MODEL["x"], q=q, posterior=posterior))


def decomposition() -> Drawing:
    """The bound as the mean and the variance of q move, below the one log p(x)."""
    gaussian, general = (formulas(claim(f"elbo.{name}")) for name in ("gaussian-model", "decomposition"))
    known = (float(gaussian[name](**MODEL)) for name in ("evidence", "mean", "variance"))
    model = Model(gaussian, general["gap"], *known)
    return Drawing(figure(model), numbers(model))


def figure(model: Model) -> Figure:
    """Above the mean of q moves, below its variance; the other is the posterior's, or is not."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(WIDE, 5.4), layout="constrained")
    above, below = picture.subplots(2, 1)
    a, b = np.linspace(-3.6, 5.2, 241), np.geomspace(0.03, 15, 241)
    above.plot(a, model.bound(a, model.variance), color=DARK, lw=1.6)
    above.plot(a, model.bound(a, BROAD), color=BRIGHT, lw=1.6)
    below.plot(b, model.bound(model.mean, b), color=DARK, lw=1.6)
    below.plot(b, model.bound(OFF, b), color=BRIGHT, lw=1.6)
    above.set(xlabel="mean of q", xlim=(-3.6, 5.2))
    below.set(xlabel="variance of q", xscale="log", xlim=(0.03, 15))
    below.set_xticks([0.03, 0.1, 0.3, 1, 3, 10], ["0.03", "0.1", "0.3", "1", "3", "10"])
    below.minorticks_off()
    for axes, at in ((above, model.mean), (below, model.variance)):
        axes.set(ylabel="nats", ylim=(LOWEST, model.evidence + 0.5))
        axes.axhline(model.evidence, color="black", lw=1)
        axes.plot(at, model.evidence, "o", ms=5, color=DARK)
        label(axes, at, model.evidence + 0.1, "the posterior", DARK, ha="center", va="bottom")
    label(above, -3.5, model.evidence + 0.1, "log p(x)", va="bottom")
    label(above, -0.4, -2.6, "L(q), q as broad\nas the posterior", DARK, ha="right")
    label(above, model.mean, -3.8, f"variance\n{BROAD}", BRIGHT, ha="center")
    label(below, 0.14, -2.62, "L(q), q with the\nposterior's mean", DARK)
    label(below, 0.14, -3.65, f"mean {OFF}", BRIGHT)
    between(above, OFF, model, model.bound(OFF, model.variance))
    between(below, BROAD, model, model.bound(model.mean, BROAD))
    return picture


def between(axes: Axes, at: float, model: Model, bound: Array) -> None:
    """The divergence, as the distance of the bound from log p(x)."""
    arrow = {"arrowstyle": "<->", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (at, model.evidence), (at, float(bound)), arrowprops=arrow)
    words = "KL(q, posterior)"
    axes.annotate(words, (at, model.evidence - 0.3), (6, 0), textcoords="offset points", va="center")


def numbers(model: Model) -> RenderableType:
    """The bound, the divergence from the posterior and their sum, for some q."""
    some = {
        "the posterior": (model.mean, model.variance),
        "narrower": (model.mean, NARROW),
        "broader": (model.mean, BROAD),
        "elsewhere": (OFF, model.variance),
        "the prior": (MODEL["mu_0"], MODEL["tau"] ** 2),
    }
    rows = []
    for name, (a, b) in some.items():
        bound, gap = float(model.bound(a, b)), model.gap(a, b)
        rows.append([name, f"{a:.3f}", f"{b:.3f}", f"{bound:.4f}", f"{gap:.4f}", f"{bound + gap:.4f}"])
    heads = ["q", "mean", "variance", "bound L(q)", "KL(q, posterior)", "sum"]
    note = "The bound comes from its closed form, the divergence from an integral."
    return table(heads, rows, f"log p(x) = {model.evidence:.4f}, whatever q is.  {note}")
