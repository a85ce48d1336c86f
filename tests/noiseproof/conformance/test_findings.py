"""What docs/findings says of other libraries: its scripts run, its algebra holds, its pages are there."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
import sympy as sp

FINDINGS = Path(__file__).parents[3] / "docs" / "findings"
SCRIPTS = sorted((FINDINGS / "scripts").glob("*.py"))


def wanted(script: Path) -> dict[str, str]:
    """The version that a script was written for."""
    name, version = re.findall(r'^VERSION = \{"(\S+)": "(\S+)"\}$', script.read_text(encoding="utf-8"), re.M)[0]
    return {name: version}


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_shows_its_finding(script):
    for name, version in wanted(script).items():
        try:
            there = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed")
        if there != version:
            pytest.skip(f"written for {name} {version}, and {there} is installed")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_each_script_has_a_page_that_is_listed():
    readme = (FINDINGS / "README.md").read_text(encoding="utf-8")
    for script in SCRIPTS:
        page = script.stem.replace("_", "-") + ".md"
        assert f"]({page})" in readme
        assert f"(scripts/{script.name})" in (FINDINGS / page).read_text(encoding="utf-8")
        assert wanted(script)


def test_what_is_known_to_fail_names_a_page():
    readme = (FINDINGS / "README.md").read_text(encoding="utf-8")
    for line in (FINDINGS / "xfail.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            page = line.split("  ")[2].partition(":")[0]
            assert (FINDINGS / page).is_file(), line
            assert f"]({page})" in readme, line


def test_the_weight_of_the_curvature_is_twice_that_of_the_released_step():
    h, h0, h1 = sp.symbols("h h0 h1", positive=True)
    u, a, b, c = sp.symbols("u a b c")

    def f(at):
        return a + b * at + c * at**2

    exact = sp.integrate(sp.exp(u - h) * f(u), (u, 0, h))
    m0, m1, m2 = f(0), f(-h0), f(-h0 - h1)
    r0, r1 = h0 / h, h1 / h
    first, second = (m0 - m1) / r0, (m1 - m2) / r1
    d1 = first + r0 / (r0 + r1) * (first - second)
    d2 = (first - second) / (r0 + r1)
    phi = 1 - sp.exp(-h), (sp.exp(-h) - 1) / h + 1, (sp.exp(-h) - 1 + h) / h**2 - sp.Rational(1, 2)

    def step(times):
        return phi[0] * m0 + phi[1] * d1 - phi[2] * times * d2

    assert sp.simplify(step(2) - exact) == 0
    assert sp.simplify(step(1) - exact) != 0
    assert sp.simplify(d2 - h**2 * sp.diff(f(u), u, 2) / 2) == 0


def test_the_factor_before_the_integral_of_a_rosenbrock_step_is_that_of_where_it_ends():
    s, t = sp.symbols("s t", positive=True)  # sigmas, with alpha = 1
    x, data = sp.Function("x"), sp.Function("D")
    flow = (x(s) - data(s)) / s
    f = (x(s) / (1 + s**2) - data(s)) / (s / sp.sqrt(1 + s**2))
    scaled = x(s) / sp.sqrt(1 + s**2)
    assert sp.simplify(sp.diff(scaled, s).subs(sp.diff(x(s), s), flow) - f / (1 + s**2)) == 0
    integral = scaled - scaled.subs(s, t)  # of f / (1 + sigma^2) from t to s, by the line above
    free = sp.sqrt((1 + s**2) / (1 + t**2)) * x(t)
    assert sp.simplify(free + sp.sqrt(1 + s**2) * integral - x(s)) == 0
    assert sp.simplify(free + sp.sqrt(1 + t**2) * integral - x(s)) != 0


def test_the_scripts_import_nothing_of_ours():
    for script in SCRIPTS:
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(import|from) (noiseproof|numerics|derivations|models)", text, re.M)


def test_the_weights_of_deis_are_integrals():
    """In the third order, of the polynomials of Lagrange in log(rho); only the digits of their difference are lost."""
    t, c, d = sp.symbols("t c d", positive=True)
    log = sp.log
    numerator = log(c) * (log(d) - log(t) + 1) - log(d) * log(t) + log(d) + log(t) ** 2 - 2 * log(t) + 2
    lagrange = (log(t) - log(c)) * (log(t) - log(d))
    assert sp.simplify(sp.diff(t * numerator, t) - lagrange) == 0


def test_two_draws_of_one_path_are_the_noise_of_the_whole_step():
    h, part = sp.symbols("h part", positive=True)
    before, after = sp.exp(-2 * (h - part)) * (1 - sp.exp(-2 * part)), 1 - sp.exp(-2 * (h - part))
    assert sp.simplify(before + after - (1 - sp.exp(-2 * h))) == 0
