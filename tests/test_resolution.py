"""What sampling resolves: 1e-2 by plain draws for every claim marked M, and 1e-3 in a second by its sharpest atom."""

from time import process_time

import numpy as np
import pytest

import noiseproof
from noiseproof.verifying import checking
from numerics.compiled import formulas
from numerics.statistics import PASS
from numerics.statistics.atoms import Sampled, Surely
from numerics.statistics.judging import atoms_of

COARSE, FINE = 1e-2, 1e-3  # in standard deviations of a score
SECONDS = 1.0  # of processor time, on a machine that does WORK in a twentieth of a second
WORK = (17, 2**16, 2)

CLAIMS = [claim for claim in noiseproof.claims().values() if "montecarlo" in claim.kinds]
each_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)


def numbered(claim):
    """The atoms of a claim that sample, plainly or by an estimator, with the numbers that name their streams."""
    atoms = atoms_of(checking(claim, "montecarlo"), formulas(claim))
    return [(str(k), atom) for k, atom in enumerate(atoms, 1) if isinstance(atom, (Sampled, Surely))]


def seconds(work):
    """What a piece of work takes at best: processor time, which others on the same memory stretch."""
    spent = []
    for _ in range(3):
        clock = process_time()
        work()
        spent.append(process_time() - clock)
    return min(spent)


def like_an_atom():
    """Work of the kind that atoms do: normals, exponentials, and sums over a short axis."""
    times, *shape = WORK
    rng = np.random.Generator(np.random.Philox(0))
    for _ in range(times):
        np.exp(-np.square(rng.standard_normal(shape))).sum(axis=-1)


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
    if (spent := seconds(lambda: atom.examine(0, claim.id, number))) >= SECONDS / 2:
        spent *= 0.05 / seconds(like_an_atom)  # on a slow or a busy machine
    assert spent < SECONDS, f"{spent:.2f} s"
