"""The drawings of the book, each from proved formulas, in a file for light pages and one for dark pages.

    python -m docs.figures                 draws all of them
    python -m docs.figures naive-chain     draws one

A drawing is a function that returns a figure of matplotlib; it is called in the style of the book, and uses the colours
of ``colours`` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def drawn_by(module: str, name: str) -> Callable[[], Figure]:
    """A function of another module, which is imported when something is drawn."""

    def draw() -> Figure:
        drawn = getattr(import_module(module), name)()
        return getattr(drawn, "figure", drawn)  # the figures of the claims come with their numbers

    return draw


DRAWINGS: dict[str, Callable[[], Figure]] = {
    "elbo-gap": drawn_by("noiseproof.figures.elbo", "decomposition"),
    "ppca-collapse": drawn_by("noiseproof.figures.vae", "posterior_collapse"),
    "optimal-discriminator": drawn_by("noiseproof.figures.gan", "optimal_discriminator"),
    "dirac-orbits": drawn_by("noiseproof.figures.gan", "dirac_dynamics"),
    "simple-loss": drawn_by("noiseproof.figures.vlb", "simple_loss_minimiser"),
    "forward-marginals": drawn_by("docs.figures.forward_marginals", "forward_marginals"),
    "naive-one-step": drawn_by("docs.figures.naive_one_step", "naive_one_step"),
    "naive-chain": drawn_by("docs.figures.naive_chain", "naive_chain"),
    "digits": drawn_by("noiseproof.figures.digits", "empirical_kernel"),
    "kl-per-step": drawn_by("docs.figures.kl_per_step", "kl_per_step"),
    "ddim-shrinkage": drawn_by("docs.figures.ddim_shrinkage", "ddim_shrinkage"),
    "orders": drawn_by("docs.figures.orders", "orders"),
    "edm-preconditioning": drawn_by("docs.figures.edm_preconditioning", "edm_preconditioning"),
    "guidance-does-not-commute": drawn_by("docs.figures.guidance", "guidance_does_not_commute"),
    "roofline": drawn_by("docs.figures.roofline", "roofline"),
    "peer-bars": drawn_by("docs.figures.peer_bars", "peer_bars"),
    "conformance-matrix": drawn_by("docs.figures.conformance_matrix", "conformance_matrix"),
}
