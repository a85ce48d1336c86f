"""The mathematics of generative models, proved, measured and run.

    >>> import noiseproof
    >>> noiseproof.verify("reversal.step-tweedie").verdict
    'PASS'
    >>> claim = noiseproof.claim("reversal.step-tweedie")
    >>> alpha, beta = claim.letters["alpha"], claim.letters["beta"]
    >>> noiseproof.verify(claim.id, variance=beta / alpha).verdict
    'FAIL'

``claims`` lists every claim by its id, ``claim`` gives one, with its ``formulas`` as SymPy expressions; ``verify``
judges a claim, or your formula in the place of its own.  ``check`` examines a sampler, which may be your own: made of
its step by ``from_step``, with what it ``Claims`` to be.  The same from the shell: ``noiseproof --help``.  ``import
noiseproof`` is cheap; SymPy is imported by the first call.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checking import check
    from .choosing import claim, claims
    from .conformance.adapters.from_step import from_step
    from .conformance.protocol import Claims
    from .faults import UnknownClaim
    from .verifying import Check, Report, verify

__version__ = "0.1.0"
__all__ = [
    "Check",
    "Claims",
    "Report",
    "UnknownClaim",
    "__version__",
    "check",
    "claim",
    "claims",
    "from_step",
    "verify",
]

HOME = {
    "UnknownClaim": "faults",
    "claim": "choosing",
    "claims": "choosing",
    "check": "checking",
    "Claims": "conformance.protocol",
    "from_step": "conformance.adapters.from_step",
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
