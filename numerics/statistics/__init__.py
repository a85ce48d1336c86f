"""How a check decides.

Read ``judging`` first, then ``atoms`` (what a check may say), ``comparing`` and ``formulas`` (what rounding explains),
``orders`` (what happens as a step goes to zero), ``laws``, ``tails`` and ``sequential`` (what chance explains),
``whitening`` (what a law makes normal), ``estimators`` and ``points`` (less chance), ``searching`` (counterexamples),
``streams`` (draws that any number of processes can share).  ``calibration`` and ``detection`` count whether it is so.
"""

from .atoms import Atom, above, below, both, by_running, close, for_all, matches, sampled, surely
from .estimators import GaussHermite, Hermite, Sobol, gauss_hermite, hermite, sobol
from .formulas import FormulaError
from .judging import Examined, Report, examine, judge, sampled_atoms
from .laws import Row, at_least, event, law, moments, within
from .orders import Order, limit, order
from .searching import NothingTried
from .sequential import ALPHA, ATOMS, FAIL, INCONCLUSIVE, PASS, SKIP, Finding
from .streams import CHUNK, Total, stream
from .whitening import by_cdf, by_cholesky, by_mixture, by_rosenblatt, by_table, standardised_by

__all__ = [
    "ALPHA",
    "ATOMS",
    "CHUNK",
    "FAIL",
    "INCONCLUSIVE",
    "PASS",
    "SKIP",
    "Atom",
    "Examined",
    "Finding",
    "FormulaError",
    "GaussHermite",
    "Hermite",
    "NothingTried",
    "Order",
    "Report",
    "Row",
    "Sobol",
    "Total",
    "above",
    "at_least",
    "below",
    "both",
    "by_cdf",
    "by_cholesky",
    "by_mixture",
    "by_rosenblatt",
    "by_running",
    "by_table",
    "close",
    "event",
    "examine",
    "for_all",
    "gauss_hermite",
    "hermite",
    "judge",
    "law",
    "limit",
    "matches",
    "moments",
    "order",
    "sampled",
    "sampled_atoms",
    "sobol",
    "standardised_by",
    "stream",
    "surely",
    "within",
]
