"""Every named mistake is found out: a check that has not been seen to fail is not a check.

The kernel finds it false at a point, and numerical checks refute it without the kernel; where its claim is marked for
quadrature or property checks, one of these does, without chance.
"""

import inspect

import pytest

import noiseproof
from noiseproof.mutating import tried, wrong_versions
from noiseproof.verifying import ERROR, FAIL, checking, examine, missing

WITHOUT_CHANCE = {"quadrature", "property"}

CASES = [
    pytest.param(claim, name, wrong, id=f"{claim.id}-{name}")
    for claim in noiseproof.claims().values()
    for name, wrong in wrong_versions(claim, "named")
]


@pytest.mark.parametrize(("claim", "name", "wrong"), CASES)
def test_mistake(claim, name, wrong):
    trial = tried(claim, "named", name, wrong)
    again = f"again: noiseproof mutate {claim.id}"
    if trial.errors:
        pytest.fail(
            "\n".join([f"{claim.id}, {name}: a judge raised", f"  {trial.formula}", *trial.errors, again]),
            pytrace=False,
        )
    if trial.survives:
        verdict = trial.equivalent or f"{', '.join(trial.asked)} let it pass"
        pytest.fail(
            f"{claim.id}: the mistake {name} is not found out\n  {trial.formula}\n  {verdict}\n  {again}", pytrace=False
        )
    able = WITHOUT_CHANCE & set(claim.kinds)
    if able and not able & set(trial.by):
        alone = f"only {', '.join(trial.by)} finds it out, {' and '.join(sorted(able))} should"
        pytest.fail(
            f"{claim.id}: the mistake {name} passes without the kernel\n  {trial.formula}\n  {alone}\n  {again}",
            pytrace=False,
        )


@pytest.mark.slow
@pytest.mark.parametrize(("claim", "name", "wrong"), CASES)
def test_no_judge_raises_on_a_mistake(claim, name, wrong):
    """Nor one that another spares the question."""
    assert not tried(claim, "named", name, wrong, thorough=True).errors


def landing():
    """The mistakes in formulas that a trained model judges, or that it is trained with."""
    for claim in noiseproof.claims().values():
        if "model" not in claim.kinds or missing("model"):
            continue
        parameters = inspect.signature(checking(claim, "model")).parameters.values()
        judged = {p.name for p in parameters if p.default is p.empty}
        for name, wrong in wrong_versions(claim, "named"):
            if judged & set(wrong):
                yield pytest.param(claim, wrong, id=f"{claim.id}-{name}")


@pytest.mark.slow
@pytest.mark.parametrize(("claim", "wrong"), list(landing()))
def test_nothing_that_is_trained_lands_on_a_mistake(claim, wrong):
    found = list(examine(claim, "model", 0, wrong))
    assert not [check.detail for check in found if check.verdict == ERROR]
    assert FAIL in {check.verdict for check in found}


@pytest.mark.parametrize("claim", [c for c in noiseproof.claims().values() if "model" in c.kinds], ids=lambda c: c.id)
def test_every_trained_claim_has_a_mistake_that_training_can_find(claim):
    assert any(case.values[0] is claim for case in landing()) or missing("model")


@pytest.mark.slow
@pytest.mark.parametrize("claim", [c for c in noiseproof.claims().values() if "sampler" in c.kinds], ids=lambda c: c.id)
def test_every_claim_that_is_run_has_a_mistake_that_the_run_finds(claim):
    found = [check for _, wrong in wrong_versions(claim, "named") for check in examine(claim, "sampler", 0, wrong)]
    assert not [check.detail for check in found if check.verdict == ERROR]
    assert FAIL in {check.verdict for check in found}
