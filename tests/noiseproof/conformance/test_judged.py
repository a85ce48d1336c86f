"""The suite judged: correct samplers have all that they claim, and each mistake is found by the property that should.

All of them run in a process of their own, through the door that everybody uses.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseproof.conformance.examining import Examination
from noiseproof.conformance.findings import FAIL, PASS, SKIP
from noiseproof.conformance.properties import properties
from noiseproof.conformance.target import Target

from . import defects
from .defects import CORRECT, DEFECTS

FILE = Path(defects.__file__).resolve()
STEPS = 7, 13


@pytest.fixture(scope="module")
def target():
    with Target(f"{FILE}:ddpm") as one:
        yield one


def found(target, name, ids=()):
    """What is found for these properties, or for all."""
    target.become(f"{FILE}:{name}", {})
    wanted = [p for p in properties() if not ids or p.id in ids]
    return {p.id: Examination(target, STEPS).outcome(p) for p in wanted}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n != "ddim" else n for n in CORRECT])
def test_a_correct_sampler_has_all_that_it_claims(target, name):
    outcomes = found(target, name).values()
    assert {o.verdict for o in outcomes} == {PASS, SKIP}, [o.telling for o in outcomes if o.verdict not in (PASS, SKIP)]
    assert sum(o.verdict == PASS for o in outcomes) >= 20


@pytest.mark.parametrize("name", DEFECTS)
def test_a_mistake_is_found_by_the_property_that_should(target, name):
    defect = DEFECTS[name]
    outcome = found(target, name, [defect.property])[defect.property]
    failed = [finding for finding in outcome.findings if finding.verdict == FAIL]
    assert failed, outcome.findings
    assert {outcome.smallest.diagnosis, outcome.telling.diagnosis} == {defect.diagnosis}
    assert outcome.smallest.reproducer
    if defect.step is not None:
        assert next(finding for finding in failed if finding.at["n"] == STEPS[0]).at["step"] == defect.step


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, defect in DEFECTS.items() if defect.alone])
def test_what_has_nothing_to_do_with_the_rest_is_found_by_one_property_alone(target, name):
    failed = [id for id, outcome in found(target, name).items() if outcome.verdict == FAIL]
    assert failed == [DEFECTS[name].property]


def test_what_is_judged_is_more_than_a_few():
    assert len(DEFECTS) >= 20
    assert len({defect.property for defect in DEFECTS.values()}) >= 14
