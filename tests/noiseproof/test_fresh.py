"""Fresh seeds: nobody chose them, and everybody can repeat them."""

import pytest

from noiseproof import cli

VARIANCE = "reversal.posterior-variance"


def test_a_fresh_seed_is_printed_and_repeats_the_run(verified, examined):
    code, report, err = verified("--fresh")
    seed = report["seed"]
    assert code == 0
    assert f"--seed {seed} repeats this run" in err
    assert verified("--fresh")[1]["seed"] != seed
    assert verified("--seed", seed)[1] == report


@pytest.mark.parametrize("options", [["--seed", "0"], ["--seed", "3"], ["--resume", "f"]])
def test_a_fresh_seed_goes_with_no_other(verified, examined, options):
    code, report, err = verified("--fresh", *options)
    assert (code, report, examined) == (4, None, [])
    assert "--fresh" in err


def test_a_failure_under_a_fresh_seed_says_how_to_see_it_again(capfd):
    words = ["verify", VARIANCE, "--fresh", "--kind", "montecarlo", "--with", "variance=beta", "--workers", "1"]
    assert cli.status(lambda: cli.cli.main(words, standalone_mode=False)) == 1
    out, err = capfd.readouterr()
    seed = err.partition("--seed ")[2].split()[0]
    assert f"again: noiseproof verify {VARIANCE} --kind montecarlo --seed {seed} --with variance=beta" in out
    assert f"\nseed {seed}\n" in out
