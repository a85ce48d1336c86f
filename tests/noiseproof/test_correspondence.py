"""The claims of derivations/ and the checks of numerics/ and models/ are two lists that correspond one to one."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest

import numerics.checks
from derivations import Claim, claims
from noiseproof.verifying import checking
from numerics.compiled import formulas
from numerics.statistics.judging import atoms_of

NUMERICAL = ("quadrature", "property", "montecarlo", "sampler")
CLAIMS = list(claims().values())


def marked(*kinds: str) -> list:
    return [pytest.param(c, id=c.id) for c in CLAIMS if set(kinds) & set(c.kinds)]


def pages() -> dict[str, list[Claim]]:
    """The claims of each page, by the name of the page."""
    found: dict[str, list[Claim]] = {}
    for claim in CLAIMS:
        found.setdefault(claim.page.__name__.removeprefix("derivations."), []).append(claim)
    return found


def checks_on(module) -> Iterator[str]:
    """The generators of a page that no other function of the page calls."""
    source = inspect.getsource(module)
    for name, thing in vars(module).items():
        own = inspect.isgeneratorfunction(thing) and thing.__module__ == module.__name__
        if own and len(re.findall(rf"(?<![.\w]){name}\(", source)) == 1:
            yield name


def asked_for(claim: Claim, kind: str) -> set[str]:
    """The formulas that a check cannot do without."""
    parameters = inspect.signature(checking(claim, kind)).parameters.values()
    return {p.name for p in parameters if p.default is p.empty}


def kinds_of_atoms(id: str, kind: str) -> set[str]:
    claim = claims()[id]
    return {atom.kind for atom in atoms_of(checking(claim, kind), formulas(claim))}


@pytest.mark.parametrize("claim", marked(*NUMERICAL))
def test_a_check_takes_the_formulas_of_its_claim(claim):
    assert asked_for(claim, "quadrature") == set(claim.formulas)


@pytest.mark.parametrize("claim", marked(*NUMERICAL))
def test_a_check_has_atoms_of_each_kind_that_its_claim_is_marked_for_and_of_no_other(claim):
    assert kinds_of_atoms(claim.id, "quadrature") == set(claim.kinds) & set(NUMERICAL)


@pytest.mark.parametrize("claim", marked("model"))
def test_a_model_takes_formulas_of_its_claim_and_lands(claim):
    pytest.importorskip("torch")
    assert asked_for(claim, "model"), "it judges no formula"
    assert asked_for(claim, "model") <= set(claim.formulas)
    assert kinds_of_atoms(claim.id, "model") == {"model"}


@pytest.mark.parametrize(("page", "found"), pages().items(), ids=list(pages()))
def test_no_generator_on_a_page_of_checks_is_without_a_claim(page, found):
    named = {claim.name for claim in found if set(NUMERICAL) & set(claim.kinds)}
    assert set(checks_on(import_module(f"numerics.checks.{page}"))) == named


def test_no_page_of_checks_is_without_a_page_of_claims():
    """Pages without a generator, such as letters that a chapter shares, do not count."""
    modules = [m.name for m in walk_packages(numerics.checks.__path__, "numerics.checks.")]
    checks = {m.removeprefix("numerics.checks.") for m in modules if list(checks_on(import_module(m)))}
    assert checks <= set(pages())


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_has_a_derivation_and_a_second_kind_of_evidence(claim):
    assert "symbolic" in claim.kinds
    assert len(claim.kinds) >= 2


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_no_formula_is_called_like_an_argument_of_verify(claim):
    assert not set(claim.formulas) & {"claim", "kinds", "seed", "instead"}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_reasons_are_given_for_mistakes_that_exist(claim):
    assert set(claim.because) <= set(claim.mistakes)
