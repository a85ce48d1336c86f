"""Properties of single steps: correct samplers have them, and each finds the defect that is its own."""

import itertools

import numpy as np
import pytest

from noiseproof.conformance.adapters.from_step import FromStep
from noiseproof.conformance.findings import FAIL, NOTE, PASS, SKIP
from noiseproof.conformance.protocol import Claims

from .here import BARS, T, TwoSteps, ancestral, asked, bar, changed, data, ddim, ddpm, implicit, small
from .whole_runs import Loop

ALL = ("P0", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "P15", "P16", "P21")


def multistep(**more):
    claims = {"family": "ode", "order": 2, "method": "dpmpp-2m", "deterministic": True}
    return ddpm(TwoSteps(**more), variance=None, **claims)


CORRECT = {"ddpm": ddpm, "ddim": ddim, "ddim(eta=0.5)": lambda: ddim(eta=0.5), "dpmpp-2m": multistep}


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_sampler_has_all_of_them(name):
    found = {id: asked(id, CORRECT[name]()) for id in ALL}
    assert {o.verdict for o in found.values()} == {PASS, SKIP}, [o.telling for o in found.values() if o.verdict == FAIL]
    assert sum(o.verdict == PASS for o in found.values()) >= 8


@pytest.mark.parametrize("up_front", [False, True])
def test_a_draw_belongs_to_the_step_that_uses_it(up_front):
    """However early it is made: before the network is asked, or before the run begins."""

    def run(self, model, x, n, noise):
        drawn = [noise(x.shape) for _ in range((n - 1) * up_front)]
        for k, (t, t_prev) in enumerate(itertools.pairwise([*self.times(n), -1])):
            if not up_front and t_prev >= 0:
                drawn.append(noise(x.shape))
            p = model(x, t, self.trained(t))
            x = self.step(x, p, t, t_prev, lambda k=k: drawn[k])
        return x

    for id in ALL:
        found = asked(id, changed(ddpm(), run=run))
        assert found.verdict in (PASS, SKIP), found.telling
    other = changed(ddpm(ancestral(sd=lambda v, beta: beta**0.5)), run=run)
    assert [asked(id, other).verdict for id in ("P9", "P21")] == [FAIL, FAIL]


def clipped(x, p, a):
    return np.clip(data(x, p, a), -1, 1)


def wrong_root(x, p, a):
    return (x - (1 - a) * p) / a**0.5


class Stale:
    """A step, and from the third on a little of how the prediction changed before it: an old one is no part of it."""

    def __init__(self, step):
        self.step, self.known = step, []

    def __call__(self, x, p, t, t_prev, noise):
        self.known = [*self.known, p] if t < T - 1 else [p]
        old = 0.01 * (self.known[-2] - self.known[-3]) if len(self.known) > 2 and t_prev >= 0 else 0
        return self.step(x, p, t, t_prev, noise) + old


def shifted(step):
    return lambda *given: step(*given) + 1e-3


DEFECTS = {
    "the data are clipped": ("P0", "option clash", lambda: ddpm(ancestral(x_0=clipped))),
    "a constant is added": ("P0", "option clash", lambda: ddpm(shifted(ancestral()))),
    "a step goes to t - 1": ("P7", "update rule", lambda: ddpm(ancestral(previous=lambda t, s: t - 1))),
    "a mean is off by 1e-5": ("P8", "arithmetic", lambda: ddim(ancestral(off=1 + 1e-5), eta=1.0, family="ancestral")),
    "the data have the wrong root": ("P8", "update rule", lambda: ddpm(ancestral(x_0=wrong_root))),
    "beta in the place of its posterior": ("P9", "update rule", lambda: ddpm(ancestral(sd=lambda v, beta: beta**0.5))),
    "a variance in the place of its root": ("P9", "update rule", lambda: ddpm(ancestral(sd=lambda v, beta: v))),
    "small in the place of large": ("P9", "update rule", lambda: ddpm(variance="large", method=None)),
    "noise on the last step": ("P10", "last step", lambda: ddpm(ancestral(last=0.01))),
    "noise, and none is claimed": ("P10", "update rule", lambda: ddim(implicit(0.5), deterministic=True)),
    "eta on the variance": ("P11", "update rule", lambda: ddim(implicit(0.5, lambda eta, sd: eta**0.5 * sd), eta=0.5)),
    "eta is ignored": ("P11", "update rule", lambda: ddim(implicit(0.0), eta=0.5)),
    "fresh noise in no other's place": (
        "P12",
        "update rule",
        lambda: ddim(implicit(0.5, kept=lambda free, fresh: free**0.5), eta=0.5, method=None),
    ),
    "it ends at the cleanest level of training": ("P13", "last step", lambda: ddim(implicit(end=bar(0)))),
    "the last step has the wrong root": ("P15", "update rule", lambda: ddpm(ancestral(x_0=wrong_root), method=None)),
    "a first step is not that of DDIM": ("P16", "update rule", lambda: ddim(implicit(0.5), deterministic=True)),
    "an old prediction in a mean": ("P8", "update rule", lambda: ddpm(Stale(ancestral()), method=None)),
    "an old prediction in the family of DDIM": ("P11", "update rule", lambda: ddim(Stale(implicit(0.5)), eta=0.5)),
    "an old prediction in a step of order one": ("P16", "update rule", lambda: ddim(Stale(implicit()), method=None)),
    "r is 1, whatever the steps": ("P21", "update rule", lambda: multistep(ratio=lambda before, h: 1.0)),
    "r is upside down": ("P21", "update rule", lambda: multistep(ratio=lambda before, h: h / before)),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found(name):
    id, diagnosis, sampler = DEFECTS[name]
    found = asked(id, sampler())
    assert (found.verdict, found.telling.diagnosis) == (FAIL, diagnosis), found.telling
    assert (found.telling.measured or 0.0) > (found.telling.bound or 0.0)
    assert "n" in found.telling.at


def test_what_a_wrong_r_leaves_as_it_is():
    """The line through two predictions sums to one: marginals say nothing about it, the whole table does."""
    assert [asked(id, multistep(ratio=lambda before, h: 1.0)).verdict for id in ("P7", "P12", "P13")] == [PASS] * 3


def test_where_a_step_goes_instead_is_said():
    text = asked("P7", ddpm(ancestral(previous=lambda t, s: t - 1))).telling.text
    assert "step 0 goes to a scale as at time 998, and next is time 833" in text


def test_beta_as_variance_is_a_choice_where_it_is_claimed():
    large = ddpm(ancestral(sd=lambda v, beta: beta**0.5), variance="large", method=None)
    assert [asked(id, large).verdict for id in ("P9", "P10", "P12")] == [PASS, PASS, NOTE]


def learned(between, v=0.0):
    """DDPM with a variance that a network chooses, at this place between both ends."""
    sd = lambda small, beta: between(small, beta, (v + 1) / 2) ** 0.5
    variance = {-1.0: "small", 0.0: "middle", 1.0: "large"}[v]
    return ddpm(ancestral(sd=sd), variance=variance, method="ddpm" if variance == "small" else None)


LEARNED = {
    "of logarithms": (lambda small, beta, part: beta**part * small ** (1 - part), PASS),
    "of variances": (lambda small, beta, part: part * beta + (1 - part) * small, FAIL),
    "the wrong way round": (lambda small, beta, part: small**part * beta ** (1 - part), FAIL),
    "half of the way": (lambda small, beta, part: (small * beta) ** 0.5, FAIL),
}


@pytest.mark.parametrize("name", LEARNED)
def test_a_learned_variance_lies_between_its_ends(name):
    """Nichol & Dhariwal (2021); what is wrong at the ends alone is seen there."""
    between, verdict = LEARNED[name]
    held = {"of logarithms": 7, "of variances": 3}.get(name, 5)  # in one step there is no noise that could be wrong
    found = asked("P9", learned(between), lambda options: learned(between, options["predicted_variance"]))
    assert found.verdict == verdict, found.telling
    assert sum(finding.verdict == PASS for finding in found.findings) == held, found.findings


def test_a_relative_error_of_the_coefficient_is_found_where_tables_are_in_single_precision():
    rounded = lambda off: ddpm(ancestral(off=off, sd=lambda v, beta: float(np.float32(small(v, beta)))), single=True)
    assert [asked("P8", rounded(off)).verdict for off in (1.0, 1 + 1e-3)] == [PASS, FAIL]
    assert [asked("P9", rounded(1.0)).verdict, asked("P21", rounded(1 + 1e-3)).verdict] == [PASS, FAIL]


def test_bounds_are_computed():
    """With levels in single precision steps are as far off as is allowed, and not as close as in double precision."""
    bars = BARS.astype(np.float32)

    def step(x, p, t, t_prev, noise):
        a, s = bars[t], bars[t_prev] if t_prev >= 0 else np.float32(1)
        beta = np.float32(1) - a / s
        mean = np.sqrt(s) * beta * (x - np.sqrt(1 - a) * p) / np.sqrt(a) + np.sqrt(a / s) * (1 - s) * x
        spread = np.sqrt(beta * (1 - s) / (1 - a))
        return mean / (1 - a) + (spread * noise() if spread else 0)

    for id in ("P7", "P8", "P9", "P12", "P13", "P21"):
        assert asked(id, ddpm(step, single=True), steps=(7, 50, 200)).verdict == PASS, id
    assert asked("P8", ddpm(step), steps=(50,)).verdict == FAIL


def test_a_tiny_level_explains_nothing_elsewhere():
    """Euler's step in units of sigma: the levels of a step bound how far rounding may take it, and no others."""

    def sampler(off):
        class Fine(Loop):
            def sigmas(self, n):
                return np.append(np.geomspace(80.0, 1e-6, n), 0.0)

            def run(self, model, x, n, noise):
                for k, (s, r) in enumerate(itertools.pairwise(self.sigmas(n))):
                    x = x + (r - s) * (x - (1 + off * (k == 2)) * model(x, s, (1.0, s))) / s
                return x

        return Fine(Claims("fine", "ode", "x_0", order=1, deterministic=True, single=False))

    assert [asked(id, sampler(0.0)).verdict for id in ("P7", "P12", "P16")] == [PASS] * 3
    assert asked("P16", sampler(1e-6)).verdict == FAIL


# ---------------------------------------------------------------- options


def test_the_whole_family_is_asked_where_eta_can_be_given():
    asked_for = []

    def others(options):
        asked_for.append(options["eta"])
        return ddim(eta=options["eta"]) if options["eta"] < 1 else ddim(implicit(0.9), eta=1.0)

    found = asked("P11", ddim(eta=0.5), others)
    assert asked_for == [0.0, 1.0]
    assert (found.verdict, found.telling.at["eta"]) == (FAIL, 1.0)
    assert asked("P11", ddim(eta=0.5)).verdict == PASS  # where it cannot


def around_v(sign):
    def step(x, p, t, t_prev, noise):
        a = bar(t)
        epsilon = a**0.5 * p + sign * (1 - a) ** 0.5 * x
        return implicit()(x, epsilon, t, t_prev, noise)

    return ddim(step, prediction="v")


def test_another_prediction_changes_no_number():
    base = ddim(predictions={"v": {"prediction": "v"}})
    assert asked("P14", base, lambda options: around_v(1)).verdict == PASS
    found = asked("P14", base, lambda options: around_v(-1))
    assert (found.verdict, found.telling.diagnosis) == (FAIL, "option clash")
    assert asked("P14", ddim()).verdict == SKIP


@pytest.mark.parametrize(("last", "verdict"), [(0.0, PASS), (1.0, PASS), (0.5, FAIL)])
def test_ddpm_draws_no_noise_in_its_last_step_or_all_of_it_if_it_ends_with_noise_left(last, verdict):
    end = 0.99995

    def step(x, p, t, t_prev, noise):
        a, s = bar(t), bar(t_prev) if t_prev >= 0 else end
        alpha, share = a / s, 1.0 if t_prev >= 0 else last
        mean = s**0.5 * (1 - alpha) * (x - (1 - a) ** 0.5 * p) / a**0.5 + alpha**0.5 * (1 - s) * x
        return mean / (1 - a) + share * ((1 - alpha) * (1 - s) / (1 - a)) ** 0.5 * noise()

    sampler = ddpm(step, ends_at=(1 / end - 1) ** 0.5, units="vp")
    found = {id: asked(id, sampler).verdict for id in ("P7", "P8", "P9", "P10", "P21")}
    assert found == {"P7": PASS, "P8": PASS, "P9": verdict, "P10": verdict, "P21": verdict}


def test_nothing_is_compared_with_a_method_that_is_not_claimed():
    found = asked("P21", ddim(method=None))
    assert (found.verdict, found.telling.text) == (SKIP, "it claims to be none of our samplers")


def test_what_is_wrong_in_few_steps_alone_is_found():
    louder = lambda self, model, x, n, noise: FromStep.run(
        self, model, x, n, lambda shape: (1.5 if n < 4 else 1) * noise(shape)
    )
    for id in ("P9", "P21"):
        found = asked(id, changed(ddpm(), run=louder))
        assert found.verdict == FAIL
        assert {f.at["n"] for f in found.findings if f.verdict == FAIL} == {2, 3}  # there is none in one step


def test_a_single_step_is_asked_too():
    assert {finding.at["n"] for finding in asked("P13", ddim()).findings} == {1, 2, 3, 7, 13}
    for id in ("P8", "P9", "P21"):
        assert {finding.at["n"] for finding in asked(id, ddpm()).findings} == {1, 2, 3, 7, 13}
    assert {finding.at["n"] for finding in asked("P15", ddim()).findings} == {1, 7}
    assert ddim().times(1)[0] == T - 1
