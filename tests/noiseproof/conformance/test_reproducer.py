"""The script that a failure prints runs by itself in a fresh interpreter, and shows the two numbers."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from noiseproof.conformance import reproducer
from noiseproof.conformance.examining import examined
from noiseproof.conformance.findings import FAIL, Finding, Outcome
from noiseproof.conformance.properties import EXACT, properties
from noiseproof.conformance.properties.exact import PARTS, parts
from noiseproof.conformance.subject import Subject
from noiseproof.conformance.target import Target

SAMPLERS = """
import numpy as np
from noiseproof import from_step

BARS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
bar = lambda t: float(BARS[t]) if t >= 0 else 1.0

def ddpm(mean=1.0, root=0.5, last=0.0, off=0.0, to=lambda t: t):
    def step(x, p, t, t_prev, noise):
        a, s = bar(t), bar(to(t_prev))
        alpha, beta = a / s, 1 - a / s
        x_0 = mean * (x - (1 - a) ** 0.5 * p) / a**0.5
        sd = (beta * (1 - s) / (1 - a)) ** root if t_prev >= 0 else last
        drawn = sd * noise() if sd else 0
        return (s**0.5 * beta * x_0 + alpha**0.5 * (1 - s) * x) / (1 - a) + drawn + off
    return step

def raises(x, p, t, t_prev, noise):
    if t - t_prev > 400:
        raise ArithmeticError("a step that is too long")
    return right(x, p, t, t_prev, noise)

def forward(x_0, epsilon, t):
    return bar(t) ** 0.5 * x_0 + (1 - bar(t)) * epsilon

said = {"method": "ddpm", "variance": "small"}
right = ddpm()
correct = from_step(right, BARS, **said)
wrong_mean = from_step(ddpm(mean=1.001), BARS, **said)
wrong_root = from_step(ddpm(root=1.0), BARS, **said)
noise_at_the_end = from_step(ddpm(last=0.1), BARS, **said)
not_linear = from_step(ddpm(off=0.1), BARS, **said)
one_too_far = from_step(ddpm(to=lambda t: max(t - 1, -1)), BARS, **said)
breaks = from_step(raises, BARS, **said)
adds = from_step(right, BARS, add_noise=forward, **said)
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("samplers") / "sampler.py"
    path.write_text(SAMPLERS)
    return path


def printed(script, folder):
    ran = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=120)
    return ran.stdout, ran.stderr


def shown(script, folder):
    """Expected and got, as a fresh interpreter prints them."""
    out, err = printed(script, folder)
    numbers = re.search(r"expected (\S+) got (\S+)\s*$", out)
    assert numbers, script + out + err
    return tuple(float(number) for number in numbers.groups())


# ---------------------------------------------------------------- of a user's own step


@pytest.mark.parametrize(
    ("name", "id", "ours"),
    [
        ("wrong_mean", "P8", False),
        ("wrong_mean", "P7", False),
        ("wrong_mean", "P13", False),
        ("wrong_mean", "P15", False),
        ("wrong_mean", "P21", False),
        ("wrong_root", "P9", False),
        ("wrong_root", "P12", False),
        ("wrong_root", "P21", False),
        ("noise_at_the_end", "P10", False),
        ("not_linear", "P0", False),
        ("one_too_far", "P7", False),
        ("adds", "P1", False),
        ("wrong_root", "P20", True),
        ("wrong_root", "P19", True),
    ],
)
def test_the_script_of_a_failure_shows_its_two_numbers(file, name, id, ours):
    (wanted,) = [p for p in properties() if p.id == id]
    (found,) = examined(f"{file}:{name}", steps=(7,), wanted=[wanted]).outcomes
    finding = found.smallest
    assert found.verdict == FAIL
    assert ("import noiseproof" in finding.reproducer) == ours
    assert ("from noiseproof" in finding.reproducer) is False
    expected, got = shown(finding.reproducer, file.parent)
    assert expected == finding.expected
    assert got == pytest.approx(finding.got, rel=1e-9)
    assert abs(got - expected) > (finding.bound or 0)


def test_the_script_of_a_run_that_raises_raises(file):
    (wanted,) = [p for p in properties() if p.id == "P23"]
    (found,) = examined(f"{file}:breaks", wanted=[wanted]).outcomes
    _, err = printed(found.smallest.reproducer, file.parent)
    assert found.smallest.at["n"] == 1
    assert "ArithmeticError: a step that is too long" in err


def test_a_sampler_without_words_of_its_own_is_shown_through_its_adapter(file):
    with Target("noiseproof:dpmpp-2m") as target:
        subject = Subject(target, (7,))
        found = finding(subject, 3, "x", off=0.5)
        script = reproducer.script(outcome("P16", found), found, subject)
    assert shown(script, file.parent) == (found.expected, pytest.approx(found.got, rel=1e-9))


# ---------------------------------------------------------------- of a library


def finding(subject: Subject, step: int, of: str, off: float) -> Finding:
    got = float(parts(subject.table(7))[step, PARTS.index(of)])
    return Finding(FAIL, "it is so", at={"n": 7, "step": step, "coefficient of": of}, expected=got + off, got=got)


def outcome(id: str, found: Finding) -> Outcome:
    return Outcome(id, "name", EXACT, (), (found,), 0.0)


DIFFUSERS = [
    ("DDIMScheduler", {"eta": 0.5, "timestep_spacing": "trailing"}),
    ("DDPMScheduler", {}),
    ("EulerDiscreteScheduler", {"use_karras_sigmas": True}),
    ("EulerAncestralDiscreteScheduler", {}),
    ("UnCLIPScheduler", {}),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}),
    ("CogVideoXDPMScheduler", {}),
    ("TCDScheduler", {}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "options"), DIFFUSERS)
def test_a_scheduler_is_shown_with_nothing_but_diffusers_and_torch(tmp_path, name, options):
    pytest.importorskip("diffusers")
    with Target(f"diffusers:{name}", options) as target:
        subject = Subject(target, (7,))
        drawn = [part for part in PARTS if part != "the noise" or np.any(subject.table(7).of_noise)]
        for of in drawn:
            found = finding(subject, 2, of, off=0.25)
            script = reproducer.script(outcome("P9", found), found, subject)
            assert "noiseproof" not in script
            assert shown(script, tmp_path) == (found.expected, pytest.approx(found.got, rel=1e-6, abs=1e-7))


@pytest.mark.slow
def test_what_a_scheduler_adds_to_data_is_shown_with_nothing_but_diffusers_and_torch(tmp_path):
    pytest.importorskip("diffusers")
    at = {"told": 500.0, "weight of": "epsilon"}
    with Target("diffusers:DDIMScheduler") as target:
        level = target.trained([500.0])[0]
        found = Finding(FAIL, "it is so", at=at, expected=0.5, got=float(level[1]))
        script = reproducer.script(outcome("P1", found), found, Subject(target, (7,)))
    assert "noiseproof" not in script
    assert shown(script, tmp_path) == (0.5, pytest.approx(level[1], rel=1e-6))
