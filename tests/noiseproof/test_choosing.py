"""Which claims a pattern means, and what is said when it means none."""

import pytest

import noiseproof
from noiseproof.choosing import selected
from noiseproof.faults import NothingSelected


def ids(*patterns):
    return [claim.id for claim in selected(patterns)]


def test_no_pattern_means_every_claim_in_reading_order():
    assert ids() == list(noiseproof.claims())


def test_a_pattern_means_what_it_matches_in_reading_order():
    everything = list(noiseproof.claims())
    assert ids("reversal.*") == [id for id in everything if id.startswith("reversal.")]
    assert ids("*.posterior-variance", "*.posterior-mean") == ["reversal.posterior-mean", "reversal.posterior-variance"]
    assert ids("reversal.posterior-*", "reversal.posterior-mean") == ids("reversal.posterior-*")


def test_an_unknown_id_names_the_nearest():
    with pytest.raises(noiseproof.UnknownClaim, match=r"did you mean reversal\.posterior-variance"):
        noiseproof.claim("reversal.posterior-varianc")
    with pytest.raises(KeyError, match=r"reversal\.step-tweedie"):
        noiseproof.claim("step-tweedie")


def test_a_chapter_is_not_a_claim_but_a_pattern():
    with pytest.raises(noiseproof.UnknownClaim, match=r"for the whole chapter write 'reversal\.\*'"):
        noiseproof.claim("reversal")


def test_something_far_off_is_sent_to_the_list():
    with pytest.raises(noiseproof.UnknownClaim, match="noiseproof list"):
        noiseproof.claim("zzzzzz")


def test_a_pattern_without_a_match_is_an_error_even_beside_one_that_has():
    with pytest.raises(NothingSelected, match=r"no claim matches foward\.\*; the chapters are .*reversal"):
        ids("reversal.*", "foward.*")
