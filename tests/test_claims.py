"""Every claim, by every kind of check that it is marked for: one test each, with an id that reads aloud.

    pytest tests/test_claims.py -k "reversal and quadrature"

A new claim appears here by itself.  The judge is the one of ``noiseproof verify``; a failure prints what it prints
there.
"""

import pytest

import noiseproof
from derivations.rendering.terminal import prose
from noiseproof.reporting import account
from noiseproof.verifying import PASS, SKIP

SLOW: set[tuple[str, str]] = set()  # (claim, kind) that take more than ten seconds

CASES = [
    pytest.param(claim, kind, id=f"{claim.id}-{kind}", marks=[pytest.mark.slow] * ((claim.id, kind) in SLOW))
    for claim in noiseproof.claims().values()
    for kind in claim.kinds
]


@pytest.mark.parametrize(("claim", "kind"), CASES)
def test_claim(claim, kind):
    report = noiseproof.verify(claim, kinds=[kind])
    if report.verdict == SKIP:
        pytest.skip(report.checks[0].detail)
    bad = [check for check in report.checks if check.verdict not in (PASS, SKIP)]
    if bad:
        pytest.fail("\n".join([prose(claim.title), *(account(claim, check, seed=0) for check in bad)]), pytrace=False)
