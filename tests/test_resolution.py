"""What sampling resolves: 1e-2 by plain draws for every claim marked M, and 1e-3 in a second by its sharpest atom."""

import pytest

import noiseproof
from noiseproof.verifying import checking
from numerics.compiled import formulas
from numerics.statistics import PASS
from numerics.statistics.atoms import Sampled, Surely
from numerics.statistics.judging import atoms_of
from tests.timing import seconds

COARSE, FINE = 1e-2, 1e-3  # in standard deviations of a score
SECONDS = 1.0  # of processor time

CLAIMS = [claim for claim in noiseproof.claims().values() if "montecarlo" in claim.kinds]
each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)


def numbered(claim):
    """The atoms of a claim that sample, plainly or by an estimator, with the numbers that name their streams."""
    atoms = atoms_of(checking(claim, "montecarlo"), formulas(claim))
    return [(str(k), atom) for k, atom in enumerate(atoms, 1) if isinstance(atom, (Sampled, Surely))]


def resolution(atom):
    return atom.resolves if isinstance(atom, Sampled) else FINE  # what holds surely is compared to rounding


@each_claim
def test_plain_draws_resolve_a_hundredth(claim):
    plain = [atom for _, atom in numbered(claim) if isinstance(atom, Sampled) and atom.by is None]
    assert plain, "no atom draws what the claim speaks of"
    assert max(atom.resolves for atom in plain) <= COARSE


@each_claim
def test_the_sharpest_atom_resolves_a_thousandth_in_a_second(claim):
    sharp = [(resolution(atom), number, atom) for number, atom in numbered(claim) if resolution(atom) <= FINE]
    assert sharp, f"nothing that samples resolves {FINE:g}: name an estimator"
    _, number, atom = min(sharp, key=lambda entry: entry[0])
    finding = atom.examine(0, claim.id, number)  # the first time also imports
    assert finding.verdict == PASS, finding.detail
    assert finding.resolution is not None
    assert finding.resolution <= FINE
    spent = seconds(lambda: atom.examine(0, claim.id, number), SECONDS)
    assert spent < SECONDS, f"{spent:.2f} s"
