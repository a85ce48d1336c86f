"""The mathematics of generative models, proved, measured and run.

    >>> import noiseproof
    >>> noiseproof.verify("reversal.step-tweedie").verdict
    'PASS'
    >>> claim = noiseproof.claim("reversal.step-tweedie")
    >>> alpha, beta = claim.letters["alpha"], claim.letters["beta"]
    >>> noiseproof.verify(claim.id, variance=beta / alpha).verdict
    'FAIL'

``claims`` lists every claim by its id, ``claim`` gives one, with its ``formulas`` as SymPy expressions; ``verify``
judges a claim, or your formula in the place of its own.  The same from the shell: ``noiseproof --help``.  ``import
noiseproof`` is cheap; SymPy is imported by the first call.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .choosing import claim, claims
    from .faults import UnknownClaim
    from .verifying import Check, Report, verify

__version__ = "0.1.0"
__all__ = ["Check", "Report", "UnknownClaim", "__version__", "claim", "claims", "verify"]

HOME = {
    "UnknownClaim": "faults",
    "claim": "choosing",
    "claims": "choosing",
    "Check": "verifying",
    "Report": "verifying",
    "verify": "verifying",
}


def __getattr__(name: str) -> Any:
    if name not in HOME:
        raise AttributeError(f"module 'noiseproof' has no attribute '{name}'; it has {', '.join(__all__)}")
    return getattr(import_module(f".{HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
