"""How a check decides.

Read ``judging`` first, then ``atoms`` (what a check may say), ``comparing`` and ``formulas`` (what rounding explains),
``laws`` and ``sequential`` (what chance explains), ``searching`` (counterexamples), ``streams`` (draws that any number
of processes can share).
"""

from .atoms import Atom, above, below, close, for_all, matches, sampled
from .formulas import FormulaError
from .judging import Examined, Report, examine, judge, sampled_atoms
from .laws import Row, event, law, moments
from .searching import NothingTried
from .sequential import ALPHA, ATOMS, FAIL, INCONCLUSIVE, PASS, SKIP, Finding
from .streams import CHUNK, Total, stream

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
    "NothingTried",
    "Report",
    "Row",
    "Total",
    "above",
    "below",
    "close",
    "event",
    "examine",
    "for_all",
    "judge",
    "law",
    "matches",
    "moments",
    "sampled",
    "sampled_atoms",
    "stream",
]
