"""The sampler that the README shows is found out as the README says."""

import re
from pathlib import Path

import pytest

import noiseproof
from noiseproof.conformance.reports import account

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_what_is_found(tmp_path):
    (source,) = re.findall(r"```python\n# sampler\.py\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "sampler.py"
    file.write_text(source, encoding="utf-8")
    report = noiseproof.check(f"{file}:ddpm", properties=["P8", "P9", "P11"])
    assert {o.id: o.verdict for o in report.outcomes} == {"P8": "PASS", "P9": "FAIL", "P11": "SKIP"}
    (failed,) = (account(o) for o in report.outcomes if o.verdict == "FAIL")
    shown = README[README.index("FAIL P9 posterior-variance (update") : README.index("  again:\n    ... a script")]
    found = failed[: failed.index("again:")]
    assert [line.strip() for line in shown.splitlines()] == [
        line.strip() for line in found.splitlines() if line.strip()
    ]


def test_the_readme_counts_the_properties():
    from noiseproof.conformance.properties import properties

    ids = [p.id for p in properties()]
    assert f"{len(ids)} properties are looked at, {ids[0]} to {ids[-1]};" in README


def test_the_naive_inversion_is_not_the_kernel():
    report = noiseproof.check("noiseproof:naive", steps=[7], properties=["P8", "P9", "P13"])
    assert [o.verdict for o in report.outcomes] == ["FAIL"] * 3


@pytest.mark.slow
def test_the_naive_inversion_has_not_what_one_takes_it_for():
    report = noiseproof.check("noiseproof:naive")
    failed = {o.id: o.claims for o in report.outcomes if o.verdict == "FAIL"}
    assert len(failed) == 10
    assert "naive inversion, held to what one takes it for: ten properties fail" in README
    assert {"P8", "P9", "P12", "P13", "P18", "P19", "P20"} <= set(failed)
    assert {"reversal.posterior-mean", "reversal.posterior-variance"} <= {*failed["P8"], *failed["P9"]}
