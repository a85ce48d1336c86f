"""The false alarms of the whole suite: so many atoms depend on chance, and each has its share."""

import noiseproof
from noiseproof.verifying import checking, missing
from numerics.compiled import formulas
from numerics.statistics import ALPHA, ATOMS, sampled_atoms


def chance(claim, kind):
    return sampled_atoms(checking(claim, kind), formulas(claim))


def test_all_sampled_atoms_together_keep_within_one_false_alarm_in_a_billion():
    """Each has a false alarm of 1e-13, over all its rows and looks."""
    judged = [claim for claim in noiseproof.claims().values() if {*claim.kinds} - {"symbolic", "model"}]
    counts = {claim.id: chance(claim, "montecarlo") for claim in judged}
    counts |= {
        f"{claim.id}, trained": chance(claim, "model")
        for claim in noiseproof.claims().values()
        if "model" in claim.kinds and not missing("model")
    }
    assert 0 < sum(counts.values()) < ATOMS, counts
    assert sum(counts.values()) * ALPHA < 1e-9
    for claim in noiseproof.claims().values():
        assert "montecarlo" not in claim.kinds or counts[claim.id] > 0, f"{claim.id} is marked montecarlo"
        assert counts.get(claim.id, 0) <= 100, f"{claim.id} takes {counts[claim.id]} shares"
