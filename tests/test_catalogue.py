"""tests/catalogue.txt holds every claim with what it assumes, trusts and defines: none of it changes in silence.

If a change is meant, write the catalogue again and read the difference:

    python -m tests.test_catalogue > tests/catalogue.txt
"""

from pathlib import Path

import pytest

import noiseproof
from derivations.rendering.terminal import inline, prose
from noiseproof.explaining import definitions, foundations, steps, taken_on_trust

CATALOGUE = Path(__file__).with_name("catalogue.txt")
HOW = "if that is meant: python -m tests.test_catalogue > tests/catalogue.txt"


def entry(claim) -> str:
    """A claim as the catalogue has it."""
    trusted = [f"trusts:  {fact}" for fact in taken_on_trust(claim)]
    defined = [
        f"defines: {inline(a)} = {inline(b)} ({prose(n)})" for n, facts in definitions(claim).items() for a, b in facts
    ]
    return "\n    ".join([claim.id, f"assumes: {claim.assumes}", *trusted, *defined])


def printed() -> dict[str, str]:
    """The entries of the catalogue by their ids."""
    entries = CATALOGUE.read_text(encoding="utf-8").strip().split("\n\n")
    return {text.splitlines()[0]: text for text in entries}


def test_the_catalogue_holds_every_claim_in_reading_order():
    assert list(printed()) == list(noiseproof.claims()), HOW


@pytest.mark.parametrize("claim", noiseproof.claims().values(), ids=lambda claim: claim.id)
def test_assumptions_and_trust_are_as_in_the_catalogue(claim):
    assert printed().get(claim.id) == entry(claim), HOW


@pytest.mark.parametrize("claim", noiseproof.claims().values(), ids=lambda claim: claim.id)
def test_no_claim_takes_its_own_formula_on_trust(claim):
    """The last step of every derivation is proved: what is granted there would be the claim itself."""
    for derivation in foundations(claim):
        *_, last = steps(derivation)
        assert not last.by.granted, f"{derivation.__name__} ends in a step that is granted: {last.by.granted}"


@pytest.mark.parametrize("claim", noiseproof.claims().values(), ids=lambda claim: claim.id)
def test_no_claim_has_its_own_formula_among_the_definitions(claim):
    stated = {claim.spell(formula) for formula in claim.formulas.values() if formula.args}
    defined = {claim.spell(meaning) for facts in definitions(claim).values() for _, meaning in facts}
    assert not stated & defined


if __name__ == "__main__":
    print("\n\n".join(map(entry, noiseproof.claims().values())))
