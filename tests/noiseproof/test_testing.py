"""Two lines in a suite of somebody else's: a test for each property of a sampler."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLER = """
import numpy as np
from noiseproof import from_step

BARS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
bar = lambda t: float(BARS[t]) if t >= 0 else 1.0

def ddpm(root):
    def step(x, p, t, t_prev, noise):
        a, s = bar(t), bar(t_prev)
        alpha, beta = a / s, 1 - a / s
        x_0 = (x - (1 - a) ** 0.5 * p) / a**0.5
        mean = (s**0.5 * beta * x_0 + alpha**0.5 * (1 - s) * x) / (1 - a)
        return mean + (beta * (1 - s) / (1 - a)) ** root * noise() if t_prev >= 0 else mean
    return step

good = from_step(ddpm(0.5), BARS, method="ddpm", variance="small")
bad = from_step(ddpm(1.0), BARS, method="ddpm", variance="small")
"""
SUITE = """
from noiseproof.testing import conforms
import sampler

test_good = conforms("sampler.py:good", properties=["P8", "P9", "P11"])
test_bad = conforms(sampler.bad, properties=["P8", "P9"])
test_known = conforms("sampler.py:bad", properties=["P8", "P9"], known={"posterior-variance": "its root"})
test_stale = conforms("sampler.py:good", properties=["P9"], known={"P9": "it was wrong once"})
test_missing = conforms("sampler.py:nobody", properties=["P8"])
test_options = conforms("noiseproof:ddim", properties=["P11"], eta=0.5, options={"prediction": "v"})
"""


@pytest.fixture
def suite(tmp_path):
    """pytest in a folder with these files: its output."""
    (tmp_path / "sampler.py").write_text(SAMPLER)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")

    def ran(text, *arguments):
        (tmp_path / "test_mine.py").write_text(text)
        words = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)

    return ran


@pytest.mark.slow
def test_each_property_is_a_test(suite):
    ran = suite(SUITE)
    out = ran.stdout
    assert ran.returncode == 1
    results = {line.split(" - ")[0] for line in out.splitlines() if " test_mine.py::" in line}
    assert results == {
        "PASSED test_mine.py::test_good[P8-posterior-mean]",
        "PASSED test_mine.py::test_good[P9-posterior-variance]",
        "PASSED test_mine.py::test_bad[P8-posterior-mean]",
        "FAILED test_mine.py::test_bad[P9-posterior-variance]",
        "PASSED test_mine.py::test_known[P8-posterior-mean]",
        "XFAIL test_mine.py::test_known[P9-posterior-variance]",
        "FAILED test_mine.py::test_stale[P9-posterior-variance]",
        "FAILED test_mine.py::test_missing[P8-posterior-mean]",
        "PASSED test_mine.py::test_options[P11-eta-family]",
    }
    assert "it does not claim to be one of the family of DDIM" in out
    assert "n = 2, step 0, coefficient of the noise" in out
    assert 'print("expected"' in out
    assert "has no nobody; it has" in out
    assert "judge(" not in out  # the failure is the sampler's: no lines of ours


def test_one_property_is_asked_alone(suite):
    out = suite(SUITE, "-k", "test_good and P8", "--durations=1").stdout
    assert "1 passed, 9 deselected" in out


def test_a_property_that_is_none_is_said_when_tests_are_collected(suite):
    ran = suite('from noiseproof.testing import conforms\ntest_it = conforms("sampler.py:good", properties=["P99"])\n')
    assert "there is no property 'P99'" in ran.stdout


def test_to_import_it_costs_nothing():
    code = "import sys, noiseproof.testing; print({'numpy', 'sympy', 'scipy', 'pytest', 'torch'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ran.stdout == "set()\n", ran.stderr


def test_the_defaults_are_those_of_check():
    import inspect

    from noiseproof import checking, testing

    ours, theirs = (inspect.signature(f).parameters for f in (testing.conforms, checking.check))
    assert {n: ours[n].default for n in ("steps", "seconds", "properties")} == {
        n: theirs[n].default for n in ("steps", "seconds", "properties")
    }
