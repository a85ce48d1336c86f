"""The adapter of diffusers: what is read off a scheduler is what the papers say, and every class runs or says why not.

The closed forms here are written by hand, of the papers, and share nothing with ours.
"""

from __future__ import annotations

import importlib.util
import inspect
import io
import itertools
import tokenize
from pathlib import Path

import numpy as np
import pytest

from noiseproof.conformance.target import AboutTheTarget, Call, Ran, Target
from noiseproof.conformance.unrolled import Unrolled, unrolled

diffusers = pytest.importorskip("diffusers")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:diffusers", "ignore::DeprecationWarning:numpy")
of_diffusers = pytest.importorskip("noiseproof.conformance.adapters.of_diffusers")

STEPS = (7, 13, 50)
ROUNDING = 50 * float(np.finfo(np.float32).eps)
T = 1000
BARS = torch.cumprod(1 - torch.linspace(1e-4, 0.02, T), 0).double().numpy()  # as tables are made: P3 judges that
SIGMAS = np.sqrt(1 / BARS - 1)
SCHEDULERS = [n for n in dir(diffusers) if n.endswith("Scheduler") and inspect.isclass(getattr(diffusers, n))]


class Here:
    """A target without a process of its own."""

    def __init__(self, name: str, **options):
        self.sampler = of_diffusers.adapted(name, options)

    def run(self, x, n, model, noise, sigmas=None, finite=True) -> Ran:
        calls, draws = [], []

        def asked(x, told, level):
            calls.append(Call(x.numpy().copy(), float(told), tuple(level)))
            return torch.from_numpy(np.array(model(calls[-1])))

        def drawn(shape, *between):
            draws.append((len(calls), between))
            return torch.from_numpy(np.array(noise(tuple(shape), between)))

        sampler = self.sampler if sigmas is None else self.sampler.on(np.array(sigmas))
        return Ran(sampler.run(asked, torch.from_numpy(x.copy()), n, drawn).numpy(), calls, draws, [])


def table(name: str, n: int, sigmas=None, **options) -> Unrolled:
    return unrolled(Here(name, **options), n, sigmas)  # type: ignore[arg-type]


def same(got, expected, size=1.0):
    assert abs(got - expected) <= ROUNDING * (size + abs(expected)), f"{got} and not {expected}"


def test_it_is_small():
    code = Path(of_diffusers.__file__).read_text()
    words = {tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING}
    lines = {t.start[0] for t in tokenize.generate_tokens(io.StringIO(code).readline) if t.type in words}
    quoted = {
        line
        for t in tokenize.generate_tokens(io.StringIO(code).readline)
        if t.type == tokenize.STRING and t.string.startswith('"""')
        for line in range(t.start[0], t.end[0] + 1)
    }
    assert len(lines - quoted) < 60


# ---------------------------------------------------------------- what is read off


def pairs(told, last=1.0):
    """alpha_bar at each time and at the next one."""
    return itertools.pairwise([*(BARS[int(t)] for t in told), last])


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("n", STEPS)
def test_ddpm(n, spacing):
    """Ho et al., eq. 7 and 11, over jumps: alpha is the ratio of alpha_bars."""
    read = table("DDPMScheduler", n, timestep_spacing=spacing)
    for c, (t, s) in enumerate(pairs(read.told)):
        alpha, step = t / s, read.step(c)
        same(step.of_x, alpha**-0.5)
        same(step.of_prediction, -(1 - alpha) / (alpha * (1 - t)) ** 0.5)
        same(step.noise, ((1 - s) / (1 - t) * (1 - alpha)) ** 0.5)
        assert step.before <= ROUNDING * abs(step.of_prediction)


@pytest.mark.parametrize(("said", "part"), [(-1, 0.0), (0, 0.5), (1, 1.0)])
@pytest.mark.parametrize("name", ["DDPMScheduler", "UnCLIPScheduler"])
def test_a_learned_variance(name, said, part):
    """Nichol & Dhariwal: between the variance of the posterior and beta, on the scale of logarithms."""
    here = Here(name, variance_type="learned_range", predicted_variance=said)
    read = table(name, 7, variance_type="learned_range", predicted_variance=said)
    assert here.sampler.claims.variance == {0.0: "small", 0.5: "middle", 1.0: "large"}[part]
    bars = here.sampler.scheduler.alphas_cumprod.double().numpy()
    for c, (time, after) in enumerate(itertools.pairwise(read.told.astype(int))):
        t, s = bars[time], bars[after]
        beta = 1 - t / s
        same(read.step(c).noise, (beta**part * ((1 - s) / (1 - t) * beta) ** (1 - part)) ** 0.5)


@pytest.mark.parametrize("eta", [0, 0.5, 1])
@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("n", STEPS)
def test_ddim(n, spacing, eta):
    """Song et al., eq. 12 and 16; a step goes T // n down, wherever the next one begins."""
    read = table("DDIMScheduler", n, timestep_spacing=spacing, eta=eta)
    for c, time in enumerate(read.told.astype(int)):
        t, s, step = BARS[time], BARS[time - T // n] if time >= T // n else 1.0, read.step(c)
        fresh = eta * ((1 - s) / (1 - t) * (1 - t / s)) ** 0.5
        same(step.of_x, (s / t) ** 0.5)
        same(step.of_prediction, (1 - s - fresh**2) ** 0.5 - (s * (1 - t) / t) ** 0.5, (s / t) ** 0.5)
        same(step.noise, fresh)
    assert len(read.after) == (n if eta else 0)


@pytest.mark.parametrize("spacing", ["leading", "trailing", "linspace"])
@pytest.mark.parametrize("n", STEPS)
def test_euler(n, spacing):
    """Karras et al., algorithm 1, without its second order: u goes (sigma' - sigma) along the predicted noise."""
    read = table("EulerDiscreteScheduler", n, timestep_spacing=spacing)
    sigmas = [*np.interp(read.told, np.arange(T), SIGMAS), 0.0]
    for c, (t, s) in enumerate(itertools.pairwise(sigmas)):
        size = (1 + s * s) ** 0.5 if c + 1 < n else 1.0  # the network is handed u / sqrt(1 + sigma^2)
        step = read.step(c)
        same(step.of_x, (1 + t * t) ** 0.5 / size)
        same(step.of_prediction, (s - t) / size, t / size)
        assert read.levels[c] is not None
        same(read.levels[c][1] / read.levels[c][0], t)  # type: ignore[index]


@pytest.mark.parametrize("n", STEPS)
def test_dpmpp_2m(n):
    """Lu et al., DPM-Solver++, algorithm 2, around a network that nobody would train."""
    read = table("DPMSolverMultistepScheduler", n)
    predict = lambda c, x: 0.3 * x - 0.1 * c
    start = np.array([1.0, -0.4])
    x, data, before = start, None, None
    sigmas = [*np.interp(read.told, np.arange(T), SIGMAS), 0.0]
    levels = [(1 / (1 + sigma**2) ** 0.5, sigma / (1 + sigma**2) ** 0.5) for sigma in sigmas]
    for c, ((a, b), (a_next, b_next)) in enumerate(itertools.pairwise(levels)):
        earlier, data = data, (x - b * predict(c, x)) / a
        if not b_next:
            x = a_next * data
            continue
        h = np.log(a_next / b_next) - np.log(a / b)
        r = before / h if before else np.inf
        line = data if earlier is None else (1 + 1 / (2 * r)) * data - earlier / (2 * r)
        x, before = b_next / b * x - a_next * np.expm1(-h) * line, h
    got, size = read.ran(start, predict), np.abs(read.end) @ np.ones(len(read.end))
    assert np.all(np.abs(got - x) <= ROUNDING * size), f"{got} and not {x}"


@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("n", STEPS)
def test_flow_matching(n, shift):
    """Lipman et al.: Euler's step along the velocity from data to noise; shift as in Esser et al., section 5.3.2."""
    read = table("FlowMatchEulerDiscreteScheduler", n, shift=shift)
    times = np.linspace(1, read.told[-1] / T, 2)  # shifted twice, by construction and by set_timesteps: P3 and P6 judge
    assert read.told[0] == T
    assert times[0] > times[1]
    for c, (t, s) in enumerate(itertools.pairwise([*(read.told / T), 0.0])):
        step = read.step(c)
        same(step.of_x, 1)
        same(step.of_prediction, s - t)
        assert read.levels[c] == pytest.approx((1 - t, t), abs=1e-7)


# ---------------------------------------------------------------- every class


TOKENS = ("Amused", "BlockRefinement", "DiscreteDDIM", "EntropyBound", "VQDiffusion")
OTHERS = {
    **dict.fromkeys([f"{name}Scheduler" for name in TOKENS], "its samples are tokens"),
    **dict.fromkeys(["HeliosScheduler", "HeliosDMDScheduler"], "in stages"),
    **dict.fromkeys(["DDIMInverseScheduler", "DPMSolverMultistepInverseScheduler"], "goes from data to noise"),
    **dict.fromkeys(["KarrasVeScheduler", "ScoreSdeVeScheduler", "ScoreSdeVpScheduler"], "has no"),
    "PiflowScheduler": "a policy",
    "RFD4ProteinaScheduler": "which atoms",
    "RePaintScheduler": "the part of an image",
}
if importlib.util.find_spec("torchsde") is None:
    OTHERS |= dict.fromkeys(["CosineDPMSolverMultistepScheduler", "DPMSolverSDEScheduler"], "requires the torchsde")


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_unrolls_or_says_why_not(name):
    if name in OTHERS:
        with pytest.raises((TypeError, ImportError), match=OTHERS[name]):
            Here(name)
        return
    here = Here(name)
    read = unrolled(here, 10)  # type: ignore[arg-type]
    assert read.off < ROUNDING
    assert read.calls >= 9
    assert bool(read.after) != here.sampler.claims.deterministic
    assert all(level is not None and np.all(np.isfinite(level)) for level in read.levels)
    if here.sampler.trained is not None and len(read.told) == 10:
        told = [here.sampler.trained(t) for t in read.told]
        assert told[0] == pytest.approx(read.levels[0], abs=1e-3)


TWICE = ("HeunDiscreteScheduler", "KDPM2DiscreteScheduler", "FlowMatchHeunDiscreteScheduler")
ONCE = (
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "UniPCMultistepScheduler",
    "EDMEulerScheduler",
    "FlowMatchEulerDiscreteScheduler",
)


@pytest.mark.parametrize("name", [*ONCE, *TWICE])
@pytest.mark.parametrize("end", [0.05, 0.0])
def test_levels_are_handed_in(name, end):
    """Where the data are one point each step is exact, and what is left is the noise of the end."""
    grid = np.append(np.geomspace(100, 0.1, 20), end)
    here = Here(name)
    read = unrolled(here, 20, grid)  # type: ignore[arg-type]
    found = {b / a for a, b in filter(None, read.levels)}
    assert all(min(abs(f / sigma - 1) for f in found) < 1e-5 for sigma in grid[:-1])
    assert read.calls == 20 * (1 + (name in TWICE)) - (name in TWICE and not end)
    claims = here.sampler.claims
    size = {"ve": lambda s: 1.0, "vp": lambda s: np.hypot(1, s), "flow": lambda s: 1 + s}[claims.units]
    says = {"noise": lambda a, b: 1 / b, "backward-v": lambda a, b: -a / b, "backward-velocity": lambda a, b: 1 / b}
    gains = [(says[claims.prediction](*level), 0.0) for level in filter(None, read.levels)]
    _, variances = read.law((0.0, (100 / size(100)) ** 2), gains)
    same(variances[-1] ** 0.5, end / size(end))


def test_noise_of_its_own_is_from_the_generator():
    sampler = of_diffusers.adapted("DDPMScheduler", {})
    x, model = torch.zeros(2, 1, 1, 1), lambda x, told, level: 0 * x
    before = torch.get_rng_state()
    one, again, other = (sampler.seeded(model, x, 10, seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


def test_options_go_where_they_are_taken():
    with pytest.raises(TypeError, match="has no option beta_stat; it takes"):
        Here("DDIMScheduler", beta_stat=1)
    with pytest.raises(LookupError, match="no scheduler called"):
        Here("NoScheduler")
    with pytest.raises(TypeError, match="predicts the variance itself"):
        Here("DDPMScheduler", variance_type="learned")
    with pytest.raises(TypeError, match="expected one of"):
        Here("DDPMScheduler", variance_type="learned_range", predicted_variance=0.3)
    with pytest.raises(TypeError, match="has no option predicted_variance"):
        Here("DDPMScheduler", predicted_variance=0.0)
    claims = Here("DDIMScheduler", eta=0.5, set_alpha_to_one=False, thresholding=True).sampler.claims
    assert claims.method == "ddim(eta=0.5)"
    assert claims.ends_at == pytest.approx(SIGMAS[0])
    assert [off.partition("=")[0] for off in claims.off] == ["clip_sample", "thresholding"]
    assert any("set_alpha_to_one" in note for note in claims.notes)


def test_options_that_a_class_does_not_mean_are_refused_or_said():
    with pytest.raises(TypeError, match="variance_type given as fixed_small must be one of"):
        Here("UnCLIPScheduler", variance_type="fixed_small")
    with pytest.raises(TypeError, match="where there is no signal"):
        Here("LCMScheduler", rescale_betas_zero_snr=True)
    assert Here("LCMScheduler", rescale_betas_zero_snr=True, prediction_type="v_prediction").sampler.claims
    assert (
        "solver_type=heun: the class takes logrho instead"
        in Here("DEISMultistepScheduler", solver_type="heun").sampler.claims.notes
    )
    found = {name: of_diffusers.variants(name) for name in ("DEISMultistepScheduler", "LCMScheduler")}
    assert {"solver_order": 3} in found["DEISMultistepScheduler"]
    assert {"solver_type": "heun"} not in found["DEISMultistepScheduler"]
    assert {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"} in found["LCMScheduler"]
    assert {"variance_type": "fixed_small"} not in of_diffusers.variants("UnCLIPScheduler")
    orders = [Here("UniPCMultistepScheduler", solver_order=order).sampler.claims.order for order in (1, 2)]
    assert orders == [2, 3]  # "effective order of accuracy is solver_order + 1 due to the UniC"


@pytest.mark.slow
def test_in_a_process_of_its_own():
    with Target("diffusers:EulerAncestralDiscreteScheduler") as target:
        read = unrolled(target, 7)
        assert (read.calls, len(read.after)) == (7, 7)
    with pytest.raises(AboutTheTarget, match="tokens"):
        Target("diffusers:AmusedScheduler")
