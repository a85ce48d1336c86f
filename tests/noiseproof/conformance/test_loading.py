"""A user's own step, and where a sampler is found; what is none is told why."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from noiseproof.conformance import adapters
from noiseproof.conformance.adapters import loaded, place_of
from noiseproof.conformance.adapters.from_step import from_step
from noiseproof.conformance.child import handed, read
from noiseproof.conformance.target import Raised, Target
from noiseproof.conformance.unrolled import unrolled

from . import mine as samplers
from .mine import BARS, ddim, mine, of_torch, step_of_ddim
from .test_adapters import SHAPES, N, agree, steps, table, visited

HERE = Path(samplers.__file__).resolve()


@pytest.mark.parametrize("name", ["mine", "of_torch"])
def test_a_users_step(name):
    read_off = table(f"{HERE}:{name}")
    expected = np.linspace(1000, 1, N) if name == "mine" else 1000 * np.arange(N, 0, -1) / N
    agree(read_off.told, np.round(expected) - 1)
    agree(steps(read_off), [ddim(a, b, 0.7) for a, b in visited(read_off.told + 1)])
    assert of_torch.claims.name == "mine"


@pytest.mark.parametrize("name", ["mine", "of_torch"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_users_step_draws_from_a_generator(name, dtype):
    sampler, x = vars(samplers)[name], np.ones((3, 2), dtype)
    before = adapters.global_state(sampler.library)
    one, again, other = (
        read(sampler.seeded(lambda x, told, level: 0 * x, handed(x, sampler.library), N, seed)) for seed in (1, 1, 2)
    )
    assert one.dtype == np.dtype(dtype) or name == "mine"  # NumPy's scalars of double precision prevail
    assert np.array_equal(one, again)
    assert not np.any(one == other)
    assert adapters.global_state(sampler.library) == before


def test_a_users_forward_process():
    assert mine.add_noise is not None
    agree(mine.add_noise(np.ones(2), np.zeros(2), 500, None), np.full(2, np.sqrt(BARS[500])))
    assert of_torch.add_noise is None
    with Target(f"{HERE}:mine") as there, Target(f"{HERE}:of_torch") as neither:
        assert "add_noise" in there.can
        assert "add_noise" not in neither.can


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha_bars": [0.9, 0.95]}, "decrease strictly"),
        ({"alpha_bars": 0.5}, "shape"),
        ({"spacing": "karras"}, "spacing is 'karras'; expected one of linspace, leading, trailing"),
        ({"library": "jax"}, "library is 'jax'; expected one of numpy, torch"),
        ({"family": "magic"}, "family is 'magic'; expected one of ancestral"),
        ({"prediction": "score"}, "prediction is 'score'"),
    ],
)
def test_a_users_step_that_says_what_there_is_not(arguments, message):
    with pytest.raises(ValueError, match=message):
        from_step(step_of_ddim, **{"alpha_bars": BARS, **arguments})


def test_a_users_step_that_is_none():
    with pytest.raises(TypeError, match="the step is float; expected a function"):
        from_step(0.5, BARS)
    with pytest.raises(TypeError, match="flavor"):
        from_step(step_of_ddim, BARS, flavor="sweet")


@pytest.mark.parametrize(
    ("claims", "family"),
    [
        ({}, "ancestral"),
        ({"eta": 0.5}, "ddim"),
        ({"deterministic": True}, "ddim"),
        ({"method": "ddim(eta=0.5)"}, "ddim"),
        ({"method": "ddpm"}, "ancestral"),
        ({"family": "ode", "deterministic": True}, "ode"),
    ],
)
def test_a_step_is_of_the_family_of_which_its_claims_are(claims, family):
    assert from_step(step_of_ddim, BARS, **claims).claims.family == family


def test_claims_that_nobody_knows_are_refused():
    with pytest.raises(ValueError, match="variance is 'medium'; expected one of small, large, middle"):
        from_step(step_of_ddim, BARS, variance="medium")
    with pytest.raises(ValueError, match=r"method is 'DDIM'; expected one of ddpm, ddim, "):
        from_step(step_of_ddim, BARS, method="DDIM")


# ---------------------------------------------------------------- where a sampler is found


def test_a_sampler_is_found_by_its_name():
    assert mine.spec == place_of(mine) == f"{HERE}:mine"
    assert place_of(step_of_ddim) == f"{HERE}:step_of_ddim"
    assert Target(mine.spec).claims.name == "step_of_ddim"


@pytest.mark.parametrize("what", [lambda: 0, from_step(step_of_ddim, BARS[:5])], ids=["lambda", "nameless"])
def test_what_has_no_name_is_told_how_to_get_one(what):
    with pytest.raises(LookupError, match="top level of a file"):
        place_of(what)


def test_what_was_made_in_a_function_has_no_name():
    def local():
        return 0

    with pytest.raises(LookupError, match=r"local.*top level of a file"):
        place_of(local)


SAMPLER = """
    {imports}
    def step(x, p, t, t_prev, noise):
        return {name} * x
    def adapter():
        from noiseproof.conformance.adapters.from_step import from_step
        return from_step(step, [0.9, 0.5], name="found {name}")
    found = adapter()
"""


@pytest.mark.parametrize("where", ["a/sampler.py", "a/random.py", "a/pack/sub/sampler.py"])
def test_a_file_finds_what_is_beside_it(where, tmp_path):
    file = tmp_path / where
    file.parent.mkdir(parents=True)
    inside = "pack" in where
    (file.parent / "beside.py").write_text("HALF = 0.5\n")
    if inside:
        for package in (file.parent, file.parent.parent):
            (package / "__init__.py").write_text("")
    imports = "from .beside import HALF" if inside else "from beside import HALF"
    file.write_text(textwrap.dedent(SAMPLER.format(imports=imports, name="HALF")))
    with Target(f"{file}:found") as target:
        assert target.claims.name == "found HALF"
        agree(unrolled(target, 2).end[0], 0.25)


def test_a_module_is_found_where_one_works(tmp_path, monkeypatch):
    """Beside directories that are called as ours are."""
    for name in ("noiseproof", "numerics"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('not ours')\n")
    (tmp_path / "my_project").mkdir()
    (tmp_path / "my_project" / "sampler.py").write_text(textwrap.dedent(SAMPLER.format(imports="", name="0.5")))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    assert Target("my_project.sampler:found").claims.name == "found 0.5"


def test_a_file_that_checks_itself_is_told_how(tmp_path):
    checks = "from noiseproof.conformance.examining import examined\nexamined(__file__ + ':found')\n"
    (tmp_path / "itself.py").write_text(textwrap.dedent(SAMPLER.format(imports="", name="0.5")) + checks)
    with pytest.raises(Raised, match="put that call behind `if __name__ == '__main__':`"):
        Target(f"{tmp_path / 'itself.py'}:found")


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        ("ddpm", {}, "names no sampler; expected module:name"),
        ("noiseproof:", {}, "names no sampler"),
        ("noiseproof:dppm", {}, "there is no sampler called 'dppm'"),
        ("noiseproof:ddpm", {"eta": 1}, "ddpm has no option eta"),
        ("noiseproof:ddim", {"grid": "flat"}, "flat"),
        ("azula:Sampler", {}, "azula has no sampler called Sampler; it has DDPMSampler"),
        ("azula:DDPMSampler", {"eta_max": 1}, "DDPMSampler has no option eta_max; it takes schedule, "),
        ("azula:DDPMSampler", {"schedule": "Flat"}, "azula has no schedule called Flat"),
        ("flow_matching:ODESolver", {"method": "dopri5"}, "'dopri5'; expected one of euler"),
        ("flow_matching:RiemannianODESolver", {}, "no adapter for RiemannianODESolver"),
        ("nowhere/there.py:step", {}, "there is no file"),
        (f"{SHAPES}:nothing", {}, "has no nothing; it has "),
        (f"{SHAPES}:ModelMeanType", {}, "expected an adapter .claims and run., noiseproof.from_step"),
        (f"{HERE}:step_of_ddim", {}, "or a call shape that is known: model, x, sigmas; net, latents"),
        (f"{HERE}:mine", {"eta": 1}, "step_of_ddim takes no options, and eta was given"),
        (f"{SHAPES}:euler", {"churn": 1}, "euler has no option churn; it takes sigma_max, sigma_min, rho"),
        (f"{SHAPES}:Diffusion", {"variance": "huge"}, "variance is 'huge'; expected one of small, large"),
        (f"{SHAPES}:Diffusion", {"schedule": "steep"}, "schedule is 'steep'; expected one of linear"),
        (f"{SHAPES}:heun_with_churn", {"steps": 9}, "heun_with_churn has no option steps"),
        ("no_such_package.sampler:step", {}, "No module named 'no_such_package'"),
    ],
)
def test_what_is_no_sampler_is_told_why(spec, options, message):
    if (library := spec.partition(":")[0]) in ("azula", "flow_matching"):
        pytest.importorskip(library)
    with pytest.raises((LookupError, TypeError, ValueError, ImportError), match=message):
        loaded(spec, dict(options))


def test_a_library_that_is_missing_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "denoising_diffusion_pytorch", None)
    monkeypatch.delitem(sys.modules, f"{adapters.__name__}.of_lucidrains", raising=False)
    with pytest.raises(ImportError, match="pip install denoising-diffusion-pytorch"):
        loaded("denoising_diffusion_pytorch:GaussianDiffusion", {})


def test_what_cannot_be_loaded_is_about_the_target():
    with pytest.raises(Raised, match=r"there is no sampler called 'dppm'.*loading noiseproof:dppm"):
        Target("noiseproof:dppm")
