"""Posterior collapse on handwritten digits: a linear VAE uses the latents that explain more than there is noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from numerics.checks.vae.principal import Eigenvalues
from numerics.compiled import Formula, formulas
from numerics.worlds.digits import digits

from ..choosing import claim
from .drawing import BRIGHT, DARK, GREY, PALE, WIDE, Drawing, label, table, training

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from rich.console import RenderableType

Array = np.ndarray

NOISE, LATENTS, SHOWN = 0.9, 8, 24  # two of the latents have less to explain than there is noise


class Found(NamedTuple):
    """The eigenvalues of the data, what the formulas say of them, and what training has made of the latents."""

    known: Mapping[str, Formula]
    spectrum: Array
    lengths: Array  # squared, of the columns
    carried: Array  # nats

    def exact(self, name: str, eigenvalues: Array) -> Array:
        at = {"lam": Eigenvalues(eigenvalues), "sigma": np.sqrt(NOISE), "i": np.arange(1, len(eigenvalues) + 1)}
        return np.broadcast_to(self.known[name](**at), eigenvalues.shape)

    @property
    def used(self) -> Array:
        return self.spectrum > self.exact("threshold", self.spectrum)


def posterior_collapse() -> Drawing:
    """The spectrum of the digits above and below the noise, and what becomes of each latent."""
    from models.linear_vae import train

    data = digits()
    spectrum = np.linalg.eigvalsh(np.cov(data.T, bias=True))[::-1]
    with training("linear VAE") as progress:
        vae = train(data, LATENTS, seed=0, noise=NOISE, progress=progress).here
    lengths = np.sum(vae.W**2, axis=0)
    carried = np.mean(vae.code(data) ** 2 + np.exp(vae.log_variances) - 1 - vae.log_variances, axis=0) / 2
    longest = np.argsort(-lengths)  # which latent does what is left to chance
    found = Found(formulas(claim("vae.posterior-collapse")), spectrum, lengths[longest], carried[longest])
    return Drawing(figure(found), numbers(found))


def figure(found: Found) -> Figure:
    """On the left the spectrum, on the right columns and divergences against the eigenvalue."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(WIDE, 4), layout="constrained")
    parts = picture.subplot_mosaic("sl\nsk", width_ratios=(1, 1.1))
    axes, above, below = parts["s"], parts["l"], parts["k"]
    latent, used = np.arange(1, SHOWN + 1), found.used
    axes.vlines(latent, 0, found.spectrum[:SHOWN], color=PALE, lw=1)
    points(axes, latent, found.spectrum[:SHOWN], used[:SHOWN])
    axes.axhline(NOISE, color="black", lw=1)
    axes.set(xlabel="$i$", ylabel=r"$\lambda_i$", ylim=(0, None), xlim=(0, SHOWN + 1))
    axes.set_title("eigenvalues of the digits", loc="left")
    label(axes, SHOWN + 0.8, NOISE + 0.05, rf"$\sigma^2={NOISE}$, the noise", ha="right", va="bottom")
    label(axes, 5, 1.8, "above the noise: used", DARK)
    label(axes, 10, 0.7, "below it: collapsed", BRIGHT)

    grid = np.linspace(0.02, 3, 299)
    for axes, name, trained in ((above, "length", found.lengths), (below, "kl", found.carried)):
        axes.axvline(NOISE, color="black", lw=1)
        axes.plot(grid, found.exact(name, grid), color=GREY, lw=1.2)
        points(axes, found.spectrum[:LATENTS], trained, used[:LATENTS])
        axes.set(ylim=(0, None), xlim=(0, 3))
    above.tick_params(labelbottom=False)
    above.set(ylabel="squared length\nof column $i$")
    below.set(ylabel="KL from the prior\nof latent $i$, nats", xlabel=r"$\lambda_i$")
    above.set_title("linear VAE (dots), formulas (lines)", loc="left")
    label(above, 2.95, 0.25, r"$\max(\lambda_i-\sigma^2,\ 0)$", GREY, ha="right")
    label(below, 2.95, 0.08, r"$\frac{1}{2}\log(\max(\lambda_i,\sigma^2)/\sigma^2)$", GREY, ha="right")
    label(above, NOISE - 0.06, 1.2, r"$\sigma^2$", ha="right")
    return picture


def points(axes: Axes, x: Array, y: Array, used: Array) -> None:
    """Full where a latent is used, hollow where it has collapsed."""
    axes.plot(x[used], y[used], "o", ms=5, color=DARK, clip_on=False, zorder=3)
    axes.plot(x[~used], y[~used], "o", ms=5, mfc="white", color=BRIGHT, clip_on=False, zorder=3)


def numbers(found: Found) -> RenderableType:
    """Latent by latent."""
    eigenvalues = found.spectrum[:LATENTS]
    parts = (
        eigenvalues,
        found.exact("length", eigenvalues),
        found.lengths,
        found.exact("kl", eigenvalues),
        found.carried,
    )
    rows = []
    for n, each in enumerate(zip(*parts)):
        eigenvalue, *rest = (f"{number:.5f}" for number in each)
        rows.append([str(n + 1), eigenvalue, "used" if found.used[n] else "collapsed", *rest])
    heads = ["latent", "eigenvalue", "", "squared\nlength", "trained", "KL from the\nprior, nats", "trained"]
    return table(heads, rows, f"A linear VAE of {LATENTS} latents, with the noise σ² = {NOISE} fixed.")
