"""The script that a failure prints runs by itself in a fresh interpreter, shows the two numbers, and tells by its end.

Many of them run in one interpreter here, one after another, and that cannot import us where they should do without.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from noiseproof.conformance import reproducer
from noiseproof.conformance.examining import Examination
from noiseproof.conformance.findings import FAIL, Finding, Outcome
from noiseproof.conformance.properties import EXACT, properties
from noiseproof.conformance.properties.exact import PARTS, parts
from noiseproof.conformance.subject import Subject
from noiseproof.conformance.target import Target

from . import defects

STEPS = """
from dataclasses import dataclass
import numpy as np

BARS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
bar = lambda t: float(BARS[t]) if t >= 0 else 1.0

@dataclass
class Ddpm:
    mean: float = 1.0
    root: float = 0.5
    last: float = 0.0
    more: float = 0.0
    off: float = 0.0
    shortest: int = 1000
    longest: int = 1000
    one: object = 1.0

    def __call__(self, x, p, t, t_prev, noise):
        if t - t_prev > self.longest:
            raise ArithmeticError("a step that is too long")
        a, s = bar(t), bar(max(t - self.shortest, t_prev))
        alpha, beta = a / s, 1 - a / s
        x_0 = self.mean * (x - (1 - a) ** 0.5 * p) / a**0.5
        sd = (beta * (1 - s) / (1 - a)) ** self.root + self.more if t_prev >= 0 else self.last
        drawn = sd * noise() if sd else 0
        return self.one * (s**0.5 * beta * x_0 + alpha**0.5 * (1 - s) * x) / (1 - a) + drawn + self.off

@dataclass
class Forward:
    root: float = 0.5

    def __call__(self, x_0, epsilon, t):
        return bar(t) ** 0.5 * x_0 + (1 - bar(t)) ** self.root * epsilon

right, added = Ddpm(), Forward()
wrong_mean = Ddpm(mean=1.001)
wrong_root = Ddpm(root=1.0)
noise_at_the_end = Ddpm(last=0.1)
more_noise = Ddpm(more=0.02)
not_linear = Ddpm(off=0.1)
one_too_far = Ddpm(shortest=1)
breaks = Ddpm(longest=400)
double = Ddpm(one=np.float64(1))
too_much = Forward(root=1.0)
"""
NAMES = [line.split(" = ")[0] for line in STEPS.splitlines() if " = Ddpm(" in line and "," not in line.split(" = ")[0]]
SAMPLERS = f"""
import steps
from noiseproof import from_step

said = dict(method="ddpm", variance="small")
{"".join(f"{name} = from_step(steps.{name}, steps.BARS, **said);" for name in NAMES)}
right = from_step(steps.right, steps.BARS, **said)
too_much = from_step(steps.right, steps.BARS, add_noise=steps.too_much, **said)
another_table = from_step(steps.right, steps.BARS, schedule=dict(betas="linear", start=1e-4, end=0.03), **said)
"""
RUNS = """
import contextlib, io, json, sys
if sys.argv[1:]:
    sys.modules["noiseproof"] = sys.modules["numerics"] = None
found = []
for script in json.load(sys.stdin):
    out, why = io.StringIO(), ""
    with contextlib.redirect_stdout(out):
        try:
            exec(script, {"__name__": "__main__"})
        except Exception as wrong:
            why = f"{type(wrong).__name__}: {wrong}"
    found.append([out.getvalue(), why])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samplers")
    (folder / "steps.py").write_text(STEPS)
    (folder / "samplers.py").write_text(SAMPLERS)
    return folder / "samplers.py"


def property_of(id):
    return next(p for p in properties() if p.id == id)


def failures(file, cases, steps=(7,)):
    """What is found for each of these names and properties, in one process."""
    with Target(f"{file}:{cases[0][0]}") as target:
        for name, id in cases:
            target.become(f"{file}:{name}", {})
            outcome = Examination(target, steps).outcome(property_of(id))
            assert outcome.verdict == FAIL, (name, outcome)
            yield outcome.smallest


def printed(scripts, folder, alone=True):
    """What each of the scripts prints, and how it ends."""
    command = [sys.executable, "-c", RUNS, *["alone"] * alone]
    ran = subprocess.run(command, input=json.dumps(scripts), cwd=folder, capture_output=True, text=True, timeout=200)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def numbers(out, script):
    """Expected and got."""
    found = re.search(r"expected (\S+) got (\S+)\s*$", out)
    assert found, script + out
    return tuple(float(number) for number in found.groups())


# ---------------------------------------------------------------- of a user's own step

IN_A_RUN = [  # the script shows the very number that was found
    ("wrong_mean", "P7"),
    ("wrong_mean", "P8"),
    ("wrong_mean", "P13"),
    ("wrong_mean", "P15"),
    ("wrong_mean", "P21"),
    ("wrong_root", "P9"),
    ("wrong_root", "P12"),
    ("wrong_root", "P20"),
    ("noise_at_the_end", "P10"),
    ("not_linear", "P0"),
    ("one_too_far", "P7"),
    ("too_much", "P1"),
    ("another_table", "P3"),
]
IN_ITS_OWN_WORDS = [("wrong_root", "P19"), ("more_noise", "P22"), ("breaks", "P23"), ("double", "P24")]


def test_the_script_of_a_failure_shows_it_without_us_and_nothing_once_it_is_mended(file):
    cases = [*IN_A_RUN, *IN_ITS_OWN_WORDS]
    findings = list(failures(file, cases))
    scripts = [finding.reproducer for finding in findings]
    mended = [
        s.replace(f"import {name}", f"import {'added' if name == 'too_much' else 'right'} as {name}")
        for s, (name, _) in zip(scripts, cases, strict=True)
    ]
    found = printed(scripts + mended, file.parent)
    for case, finding, script, (out, why) in zip(cases, findings, scripts, found, strict=False):
        assert "noiseproof" not in script, script
        assert max(map(len, script.split("\n")[2:])) < 300, script
        assert why == ("ArithmeticError: a step that is too long" if case[0] == "breaks" else UNTRUE), script + out
        if case in IN_A_RUN:
            expected, got = numbers(out, script)
            assert (expected, got) == (finding.expected, pytest.approx(finding.got, rel=1e-9)), script
            assert abs(got - expected) > (finding.bound or 0)
    for (name, _), script, (out, why) in zip(cases, mended, found[len(cases) :], strict=True):
        assert (why == "") is (name != "another_table"), script + out + why


UNTRUE = "AssertionError: it does not hold"


def test_a_script_ends_as_a_command_should(file):
    (finding,) = failures(file, [("wrong_mean", "P8")])
    ran = subprocess.run([sys.executable, "-c", finding.reproducer], cwd=file.parent, capture_output=True, text=True)
    assert ran.returncode == 1
    assert UNTRUE in ran.stderr
    assert ran.stdout.startswith("expected ")


# ---------------------------------------------------------------- made-up findings

TOLD = {"n": 7, "step": 2, "told": 666.0}
MADE_UP = [  # the property, a finding, and both numbers that the script shows
    ("P2", Finding(FAIL, "it falls", at={"told": 5.0}), lambda s: tuple(ratio(s, t) for t in (5.0, 4.0))),
    (
        "P2",
        Finding(FAIL, "the levels of training keep one convention: variance is preserved", bound=0.0, at={"level": 9}),
        lambda s: (1.0, 1.0),
    ),
    (
        "P5",
        Finding(FAIL, "sigma", bound=1e-6, at={"n": 7, "step": 2}, expected=1.0, got=2.0),
        lambda s: (ratio(s, 666.0),) * 2,
    ),
    ("P6", Finding(FAIL, "with the spacing linspace", at={"n": 7}, expected=3.0, got=999.0), lambda s: (3.0, 999.0)),
    ("P6", Finding(FAIL, "levels", at={"n": 7}, expected=8.0, got=7.0), lambda s: (8.0, 7.0)),
]


def ratio(subject, told):
    ((a, b),) = subject.target.trained([told])
    return b / a


def test_what_no_step_can_have_wrong_is_shown_too(file):
    with Target(f"{file}:right") as target:
        subject = Subject(target, (7,))
        scripts = [reproducer.script(outcome(id, found), found, subject) for id, found, _ in MADE_UP]
        expected = [shows(subject) for *_, shows in MADE_UP]
    assert not any("noiseproof" in script for script in scripts)
    for script, wanted, (out, _) in zip(scripts, expected, printed(scripts, file.parent), strict=True):
        assert numbers(out, script) == pytest.approx(wanted, rel=1e-12), script


def finding(subject: Subject, step: int, of: str, off: float) -> Finding:
    got = float(parts(subject.table(7))[step, PARTS.index(of)])
    return Finding(FAIL, "it is so", at={"n": 7, "step": step, "coefficient of": of}, expected=got + off, got=got)


def outcome(id: str, found: Finding) -> Outcome:
    return Outcome(id, "name", EXACT, (), (found,), 0.0)


# ---------------------------------------------------------------- of an adapter without words of its own

BY_ITS_ADAPTER = [
    ("told_the_next_time", "P5"),
    ("a_time_twice", "P6"),
    ("half_a_difference", "P17"),
    ("r_is_one", "P21"),
    ("corrected_at_zero", "P23"),
]


@pytest.mark.slow
def test_a_sampler_without_words_of_its_own_is_shown_through_its_adapter(tmp_path):
    findings = list(failures(Path(defects.__file__).resolve(), BY_ITS_ADAPTER))
    scripts = [finding.reproducer for finding in findings]
    orders = {"data": "N(0.4, 0.6)", "n": [24, 48, 96], "order": [1.5, 1.4], "expected": 2.0}
    with Target("noiseproof:sde-dpmpp-2m", {"grid": "log-snr"}) as target:
        subject = Subject(target, (7,))
        found = Finding(FAIL, "order 2", bound=0.25, at=orders, expected=2.0, got=1.5)
        scripts.append(reproducer.script(outcome("P18", found), found, subject))
        target.become("noiseproof:ddim", {})
        at = {"n": 7, "coefficient of": "prediction 2", "around": "v"}
        found = Finding(FAIL, "it ends where it does", bound=1e-9, at=at, expected=0.0, got=1.0)
        scripts.append(reproducer.script(outcome("P14", found), found, Subject(target, (7,))))
    assert not any("import noiseproof\n" in script for script in scripts)
    *ends, (of_order, weak), (of_predictions, same) = printed(scripts, tmp_path, alone=False)
    assert [why for _, why in ends] == [UNTRUE] * 4 + ["AssertionError: it is not finite"]
    assert (weak, numbers(of_order, scripts[-2])) == ("", (2.0, pytest.approx(2.0, abs=0.25)))
    expected, got = numbers(of_predictions, scripts[-1])
    assert (same, got) == ("", pytest.approx(expected, abs=1e-9))
    assert expected != 0


# ---------------------------------------------------------------- of a library

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
def test_a_scheduler_is_shown_with_nothing_but_diffusers_and_torch(tmp_path):
    pytest.importorskip("diffusers")
    scripts, wanted = [], []
    with Target("diffusers:DDIMScheduler", seconds=60.0) as target:
        level = target.trained([500.0])[0]
        found = Finding(FAIL, "it is so", at={"told": 500.0, "weight of": "epsilon"}, expected=0.5, got=float(level[1]))
        scripts.append(reproducer.script(outcome("P1", found), found, Subject(target, (7,))))
        wanted.append((0.5, float(level[1])))
        for name, options in DIFFUSERS:
            target.become(f"diffusers:{name}", options)
            subject = Subject(target, (7,))
            for of in [part for part in PARTS if part != "the noise" or np.any(subject.table(7).of_noise)]:
                found = finding(subject, 2, of, off=0.25)
                scripts.append(reproducer.script(outcome("P9", found), found, subject))
                wanted.append((found.expected, found.got))
    assert not any("noiseproof" in script for script in scripts)
    few = 4 * 2.0**-23  # roundings in single precision: what came before counts for nothing but these
    for script, numbers_of_ours, (out, _) in zip(scripts, wanted, printed(scripts, tmp_path), strict=True):
        assert numbers(out, script) == pytest.approx(numbers_of_ours, rel=1e-6, abs=few), script


REAL = [  # of diffusers 0.42.1: see docs/findings
    ("EulerDiscreteScheduler", {"interpolation_type": "log_linear"}, ("P5", "P19", "P20")),
    ("PNDMScheduler", {}, ("P14", "P23")),
    ("DPMSolverMultistepScheduler", {"solver_order": 3}, ("P17",)),
    ("DPMSolverSinglestepScheduler", {"algorithm_type": "sde-dpmsolver++"}, ("P18",)),
    ("FlowMatchEulerDiscreteScheduler", {"shift": 3.0}, ("P3",)),
]


@pytest.mark.slow
def test_what_is_wrong_in_diffusers_is_shown_with_nothing_but_diffusers_and_torch(tmp_path):
    pytest.importorskip("diffusers", minversion="0.42")
    scripts = []
    with Target("diffusers:DDIMScheduler", seconds=60.0) as target:
        for name, options, ids in REAL:
            target.become(f"diffusers:{name}", options)
            outcomes = [Examination(target, (7,)).outcome(property_of(id)) for id in ids]
            scripts += [found.smallest.reproducer for found in outcomes if found.verdict == FAIL]
    if not scripts:
        pytest.skip("all of it is mended")
    assert not any("noiseproof" in script for script in scripts)
    for script, (out, why) in zip(scripts, printed(scripts, tmp_path), strict=True):
        assert why, script + out


@pytest.mark.slow
def test_a_sampler_of_azula_is_shown_with_nothing_but_azula_and_torch(tmp_path):
    pytest.importorskip("azula")
    with Target("azula:DDPMSampler", seconds=60.0) as target:
        subject = Subject(target, (7,))
        found = [finding(subject, 2, of, off=0.25) for of in PARTS]
        scripts = [reproducer.script(outcome("P9", each), each, subject) for each in found]
    assert not any("noiseproof" in script for script in scripts)
    for script, each, (out, _) in zip(scripts, found, printed(scripts, tmp_path), strict=True):
        assert numbers(out, script) == pytest.approx((each.expected, each.got), rel=1e-6), script
