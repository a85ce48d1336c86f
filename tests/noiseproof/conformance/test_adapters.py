"""Adapters: what is read off a sampler is the closed form of its method, and what is no sampler is told why.

The closed forms are written here by hand, and share nothing with ours.  diffusers has a file of its own.
"""

from __future__ import annotations

import ast
import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from noiseproof.conformance import adapters
from noiseproof.conformance.adapters import loaded
from noiseproof.conformance.child import handed, read
from noiseproof.conformance.protocol import Claims
from noiseproof.conformance.subject import Subject
from noiseproof.conformance.target import Call, Ran
from noiseproof.conformance.unrolled import Unrolled, unrolled
from numerics.worlds import mixture

from .mine import BARS, ddim

pytest.importorskip("torch")
SHAPES = Path(__file__).parent / "shapes.py"
ROUNDING = 1e-11  # of coefficients in double precision, below 1e3, after at most 13 questions
TABLES = 2e-5  # of those read from tables in single precision
N = 7


class Here:
    """A target without a process of its own."""

    def __init__(self, spec, **options):
        self.sampler = loaded(str(spec), options)

    def run(self, x, n, model, noise, sigmas=None, finite=True) -> Ran:
        library, calls, draws = self.sampler.library, [], []

        def asked(x, told, level=None):
            told = float(np.unique(read(told)).item())
            calls.append(Call(read(x).copy(), told, None if level is None else tuple(map(float, level))))
            return handed(np.array(model(calls[-1])), library)

        def drawn(shape, *between):
            draws.append((len(calls), tuple(float(b) for b in between)))
            return handed(np.array(noise(tuple(shape), between)), library)

        sampler = self.sampler if sigmas is None else self.sampler.on(np.array(sigmas))
        return Ran(read(sampler.run(asked, handed(x, library), n, drawn)), calls, draws, [])


def table(spec, n=N, sigmas=None, **options) -> Unrolled:
    return unrolled(Here(spec, **options), n, sigmas)  # type: ignore[arg-type]


def shape(name: str) -> str:
    return f"{SHAPES}:{name}"


def agree(got, expected, rounding=ROUNDING):
    got, expected = np.asarray(got, dtype=float), np.asarray(expected, dtype=float)
    worst = np.max(np.abs(got - expected) / (1 + np.abs(expected)))
    assert worst <= rounding, f"{got} and not {expected}: {worst:g} apart"


def steps(read_off: Unrolled) -> np.ndarray:
    """Rows of the coefficients of x, of the prediction and of the noise; nothing else has a part in a step."""
    found = [read_off.step(c) for c in range(read_off.calls)]
    agree([step.before for step in found], np.zeros(len(found)), 1e-9)
    return np.array([step[:3] for step in found])


def karras(n, top=80.0, end=0.002, rho=7):
    return np.append((top ** (1 / rho) + np.linspace(0, 1, n) * (end ** (1 / rho) - top ** (1 / rho))) ** rho, 0.0)


# ---------------------------------------------------------------- functions of k-diffusion's shape


def test_euler_of_k_diffusions_shape():
    read_off, sigmas = table(shape("euler")), karras(N)
    agree(read_off.told, sigmas[:-1])
    agree(steps(read_off), [(s / t, 1 - s / t, 0) for t, s in itertools.pairwise(sigmas)])


def test_the_grid_of_k_diffusions_shape_takes_options_and_is_handed_in():
    agree(table(shape("euler"), sigma_max=10, sigma_min=0.1, rho=3).told, karras(N, 10, 0.1, 3)[:-1])
    agree(table(shape("euler"), 2, [3.0, 2.0, 1.0]).told, [3, 2])
    assert loaded(shape("euler"), {}).on(np.array([3.0, 1.0])).claims.ends_at == 1


@pytest.mark.parametrize("eta", [1.0, 0.3])
def test_ancestral_of_k_diffusions_shape(eta):
    """Song's kernel: with eta = 1 the posterior of N(x_0, t^2) given x_0, of the variance s^2 (1 - s^2/t^2)."""
    read_off, expected = table(shape("sample_euler_ancestral"), eta=eta), []
    for t, s in itertools.pairwise(karras(N)):
        up = eta * s * np.sqrt(1 - s**2 / t**2)
        down = np.sqrt(s**2 - up**2)
        expected.append((down / t, 1 - down / t, up))
    agree(steps(read_off), expected)
    agree(read_off.between, list(itertools.pairwise(karras(N)[:-1])))  # each draw is told its interval


# ---------------------------------------------------------------- functions of EDM's shape


def test_heun_of_edms_shape():
    read_off, sigmas = table(shape("heun_with_churn"), 4, sigma_max=10.0), karras(4, 10.0)
    agree(read_off.told, [sigmas[0], *np.repeat(sigmas[1:-1], 2)])
    assert loaded(shape("heun_with_churn"), {"sigma_max": 10.0}).start(4) == (0.1, 1.0)
    agree(read_off.of_x[0], 10)
    for k, (t, s) in enumerate(itertools.pairwise(sigmas[:-1])):
        here, there, after = (read_off._all[2 * k + j] for j in range(3))
        one, other = np.eye(len(here))[[1 + 2 * k, 2 + 2 * k]]
        agree(there, s / t * here + (1 - s / t) * one)
        agree(after, s / t * here - (s - t) * (2 * s - t) / (2 * t * s) * one - (s - t) / (2 * s) * other)
    agree(read_off.end, np.eye(len(read_off.end))[read_off.calls])  # the last step is to what is predicted


def test_churn_of_edms_shape():
    read_off, sigmas = table(shape("heun_with_churn"), 4, S_churn=1.2, S_noise=1.5), karras(4)
    agree(read_off.told[::2], 1.3 * sigmas[:-1])
    agree(read_off.inputs[0], np.eye(1 + 7 + 4)[0] * 80 + np.eye(1 + 7 + 4)[8] * 1.5 * 80 * np.sqrt(0.69))
    assert read_off.after == (0, 2, 4, 6)


# ---------------------------------------------------------------- classes of guided-diffusion's shape


def ddpm(a, b, variance="small"):
    """Ho et al., eqs. 6 and 7, for alpha_bars a and b of a step, in the prediction of the noise."""
    alpha, large = a / b, 1 - a / b
    of_x_0, of_x = np.sqrt(b) * large / (1 - a), np.sqrt(alpha) * (1 - b) / (1 - a)
    part = {"small": 0.0, "middle": 0.5, "large": 1.0}[variance]
    sd = np.sqrt(large**part * (large * (1 - b) / (1 - a)) ** (1 - part)) if b < 1 else 0.0
    return of_x + of_x_0 / np.sqrt(a), -of_x_0 * np.sqrt((1 - a) / a), sd


def visited(told, last=1.0):
    return list(itertools.pairwise([*BARS[np.asarray(told, dtype=int) - 1], last]))


@pytest.mark.parametrize("kind", ["Diffusion", "Spaced"])
@pytest.mark.parametrize("variance", ["small", "large", "learned-small", "learned-middle", "learned-large"])
def test_ddpm_of_guided_diffusions_shape(kind, variance):
    read_off = table(shape(kind), variance=variance)
    agree(read_off.told, np.round(np.linspace(1000, 1, N)))
    agree(steps(read_off), [ddpm(a, b, variance.removeprefix("learned-")) for a, b in visited(read_off.told)], 1e-10)
    agree([level[0] ** 2 for level in read_off.levels if level], BARS[read_off.told.astype(int) - 1])


@pytest.mark.parametrize("eta", [0, 0.5, 1])
def test_ddim_of_guided_diffusions_shape(eta):
    read_off = table(shape("Spaced"), loop="ddim", eta=eta, spacing="leading")
    agree(read_off.told, 1 + 142 * np.arange(N)[::-1])
    agree(steps(read_off), [ddim(a, b, eta) for a, b in visited(read_off.told)])


def test_the_forward_process_of_guided_diffusions_shape():
    sampler, one = loaded(shape("Diffusion"), {}), handed(np.ones((2, 1)), "torch")
    for n in (None, N):
        agree(read(sampler.add_noise(one, 0 * one, 1000, n)), np.full((2, 1), np.sqrt(BARS[-1])))
        agree(read(sampler.add_noise(0 * one, one, 1, n)), np.full((2, 1), np.sqrt(1 - BARS[0])))


# ---------------------------------------------------------------- libraries


def of_azula(t):
    alpha = np.exp(np.log(1e-3) * np.asarray(t) ** 2)
    return alpha, np.sqrt(1 - alpha**2 + 1e-6)


@pytest.mark.parametrize("name", ["DDPMSampler", "DDIMSampler", "EulerSampler"])
def test_azula(name):
    """As its pages say: tau is the share of the noise that is fresh, in the variance; eta is a part of it."""
    pytest.importorskip("azula")
    read_off, expected = table(f"azula:{name}", **({"eta": 0.36} if name == "DDIMSampler" else {})), []
    eta = {"DDPMSampler": 1.0, "DDIMSampler": 0.36, "EulerSampler": 0.0}[name]
    for t, s in itertools.pairwise(np.linspace(1, 0, N + 1)):
        (a, b), (c, d) = of_azula(t), of_azula(s)
        fresh = eta * (1 - (a * d / (c * b)) ** 2)
        kept = np.sqrt(1 - fresh) * d / b
        expected.append((kept, c - kept * a, d * np.sqrt(fresh)))
    agree(steps(read_off), expected)
    agree(read_off.told, np.linspace(1, 0, N + 1)[:-1])


def test_azula_on_a_grid_of_ours_and_on_another_schedule():
    pytest.importorskip("azula")
    agree(steps(table("azula:EulerSampler", 2, [4.0, 2.0, 1.0])), [(0.5, 0.5, 0), (0.5, 0.5, 0)])
    there = loaded("azula:zABSampler", {"order": 3, "schedule": "VESchedule", "sigma_max": 50.0, "sigma_min": 0.02})
    assert there.claims.order == 3
    agree([*there.start(N), there.claims.ends_at], [1, 50, 0.02])


@pytest.mark.parametrize("method", ["euler", "midpoint"])
def test_flow_matching(method):
    pytest.importorskip("flow_matching")
    read_off, h = table("flow_matching:ODESolver", method=method), 1 / N
    if method == "euler":
        agree(steps(read_off), np.tile([1, h, 0], (N, 1)))
    agree(read_off.told, np.arange(0, 1, h / (1 + (method == "midpoint"))))
    agree(read_off.end[1:], np.full(N, h) if method == "euler" else np.tile([0, h], N))


@pytest.mark.parametrize("prediction", ["noise", "x_0", "v", "velocity", "backward-velocity"])
def test_where_no_noise_is_left_the_network_says_the_limit(prediction):
    """Some methods of torchdiffeq ask there."""
    subject, x = Subject.__new__(Subject), np.linspace(-1, 1, 5)
    vars(subject)["target"] = SimpleNamespace(claims=Claims("limit", "flow", prediction))
    near, there = (1 - 1e-9, 1e-9), (1.0, 0.0)
    world = mixture([0.3, 0.7], [-1.1, 0.8], [0.5, 0.4])
    agree(subject.predicts(world, there, x), subject.predicts(world, near, x), 1e-6)
    agree(*subject.gains(0.4, 0.6, [there, near]), 1e-6)


@pytest.mark.parametrize("eta", [0, 0.5])
def test_lucidrains_in_discrete_time(eta):
    pytest.importorskip("denoising_diffusion_pytorch")
    bars = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    options = {"objective": "pred_noise", "beta_schedule": "linear", "eta": eta}
    read_off = table("denoising_diffusion_pytorch:GaussianDiffusion", **options)
    times = np.linspace(-1, 999, N + 1).astype(int)[::-1]
    agree(read_off.told, times[:-1])
    pairs = itertools.pairwise([*bars[times[:-1]], 1.0])
    agree(steps(read_off), [ddim(a, b, eta) for a, b in pairs], TABLES)


def test_lucidrains_in_continuous_time():
    """Of log-SNR: c = 1 - SNR/SNR_next, x_next = alpha_next ((1 - c) x/alpha + c x_0), with sigma_next^2 c fresh."""
    pytest.importorskip("denoising_diffusion_pytorch")
    read_off, expected = table("denoising_diffusion_pytorch:VParamContinuousTimeGaussianDiffusion"), []
    times = np.linspace(1, 0, N + 1)
    logs = -np.log(np.maximum(np.cos((times + 0.008) / 1.008 * np.pi / 2) ** -2 - 1, 1e-5))
    logs[0] = read_off.told[0]  # where cos is 0 only rounding is left
    for k, (t, s) in enumerate(itertools.pairwise(logs)):
        alpha, sigma, alpha_next, sigma_next = (1 / np.sqrt(1 + np.exp(v)) for v in (-t, t, -s, s))
        c = 1 - np.exp(t - s)
        of_x = alpha_next * ((1 - c) / alpha + c * alpha)
        expected.append((of_x, -alpha_next * c * sigma, np.sqrt(c) * sigma_next if k < N - 1 else 0))
    agree(read_off.told, logs[:-1], 1e-5)
    agree(steps(read_off), expected, 1e-4)


@pytest.mark.parametrize("name", ["ContinuousTimeGaussianDiffusion", "VParamContinuousTimeGaussianDiffusion"])
def test_lucidrains_in_continuous_time_ends_at_its_own_last_level(name):
    pytest.importorskip("denoising_diffusion_pytorch")
    made = loaded(f"denoising_diffusion_pytorch:{name}", {})
    scale, noise = made.trained(made.told()[0])
    assert made.claims.units == "vp"
    agree(made.claims.ends_at, noise / scale)
    assert "with noise left" in made.claims.notes[0]


def test_lucidrains_of_edm():
    pytest.importorskip("denoising_diffusion_pytorch")
    read_off = table("denoising_diffusion_pytorch:ElucidatedDiffusion", loop="dpmpp-2m")
    sigmas = karras(N)
    agree(read_off.told, sigmas[:-1], TABLES)
    agree(read_off.step(0)[:3], [sigmas[1] / 80, 1 - sigmas[1] / 80, 0], TABLES)
    r = np.log(sigmas[0] / sigmas[1]) / np.log(sigmas[1] / sigmas[2])
    agree(read_off.step(1).of_prediction, (1 - sigmas[2] / sigmas[1]) * (1 + 1 / (2 * r)), TABLES)


@pytest.mark.parametrize("library", [lib for lib in adapters.LIBRARIES if lib != "diffusers"])
def test_every_sampler_of_a_library_unrolls(library):
    pytest.importorskip(library)
    for name in adapters.adapter(library).names():
        read_off = table(f"{library}:{name}")
        assert read_off.off < 1e-9, f"{name} is not affine: {read_off.off}"
        assert np.all(np.isfinite(read_off.end)), name


# ---------------------------------------------------------------- ours, and a user's


@pytest.mark.parametrize("prediction", ["noise", "x_0", "v", "velocity"])
def test_ours(prediction):
    read_off = table("noiseproof:ddpm", prediction=prediction)
    for (a, b), got in zip(visited(read_off.told), steps(read_off)):
        of_x, of_noise, sd = ddpm(a, b)
        kept, size = np.sqrt(a), np.sqrt(1 - a)  # what is predicted, as the noise: of x, and of itself
        of = {"noise": (0, 1), "x_0": (1 / size, -kept / size), "v": (size, kept)}
        of["velocity"] = (1 / (kept + size), -kept / (kept + size))
        agree(got, (of_x + of_noise * of[prediction][0], of_noise * of[prediction][1], sd))


def test_ours_on_other_grids():
    claims = loaded("noiseproof:ddim", {"eta": 0.5, "grid": "log-snr"}).claims
    assert (claims.ends_at, claims.units, claims.T, claims.eta) == (pytest.approx(0.05), "vp", None, 0.5)
    assert loaded("noiseproof:euler", {"grid": "karras"}).claims.units == "ve"
    agree(table("noiseproof:ddim", schedule="cosine", grid="trailing").told, np.round(1000 * np.arange(N, 0, -1) / N))


# ---------------------------------------------------------------- what an adapter is


ADAPTERS = [
    path
    for path in sorted(Path(adapters.__file__).parent.glob("*.py"))
    if path.stem.startswith(("of_", "like_", "luc"))
]


@pytest.mark.parametrize("path", [*ADAPTERS, *(ADAPTERS[0].parent / f"{n}.py" for n in ("ours", "from_step"))])
def test_an_adapter_has_less_than_60_lines(path):
    """Of code: not of imports, docstrings and comments, and not of tables."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    data = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign)]
    aside = [*data, *(node.body[0] for node in documented if ast.get_docstring(node) is not None)]
    no_code = {line for node in aside for line in range(node.lineno, (node.end_lineno or 0) + 1)}
    lines = path.read_text(encoding="utf-8").splitlines()
    code = [n for n, line in enumerate(lines, 1) if line.strip() and not line.strip().startswith("#")]
    assert len(set(code) - no_code) < 60
