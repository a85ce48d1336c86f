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

LONG = {  # networks with much to learn: 5 to 30 seconds each, less where they share a training
    "elbo.tight-iff-posterior",
    "flow.marginal-velocity",
    "flow.one-step-mean",
    "flow.transport-cost",
    "gan.jsd-bounds",
    "gan.logit-is-log-ratio",
    "gan.mode-drop-cost",
    "gan.optimal-discriminator",
    "guidance.bayes-score",
    "parameterization.mean-from-prediction",
    "parameterization.zero-snr-degenerate",
    "reversal.gmm-kernel",
    "reversal.one-step-vs-cumulative-noise",
    "reversal.score-is-conditional-expectation",
    "reversal.step-tweedie",
    "reversal.x0-tweedie",
    "vae.posterior-collapse",
    "vae.ppca-mle",
    "vlb.decomposition",
    "vlb.dsm-equivalence",
    "vlb.epsilon-weight",
    "vlb.simple-loss-minimiser",
}

CASES = [
    pytest.param(
        claim, kind, id=f"{claim.id}-{kind}", marks=[pytest.mark.slow] * (kind == "model" and claim.id in LONG)
    )
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
