"""``noiseproof sample``: what is drawn, by whom, in how many parts; what is kept; and what is refused before work."""

import json
import sys
import tomllib

import numpy as np
import pytest

from noiseproof import cli, sample, sampling
from noiseproof.sampling import NoSampler, Part, draws, parts
from noiseproof.worlds import EXAMPLE, described, world
from numerics.solvers import methods
from numerics.solvers.predictions import KINDS
from tests.noiseproof.test_cli import valid


@pytest.fixture
def run(capfd):
    def command(*arguments):
        code = cli.status(lambda: cli.cli.main(list(map(str, arguments)), standalone_mode=False))
        return code, *capfd.readouterr()

    return command


def drawn(sampler, name, n, **more):
    table = sampling.table(sampler, sampling.grid("log-snr", 6))
    options = {"seed": 0, "exactly": False, "device": None} | more
    return [next(draws(part)) for part in parts(sampler, world(name), table, n, **options)]


def test_particles_are_the_same_whatever_comes_after_them():
    some, more = (drawn("ddpm", "bimodal", n) for n in (5000, 9000))
    assert [len(d.ends) for d in some] == [4096, 904]
    assert np.array_equal(some[0].ends, more[0].ends)
    assert np.array_equal(some[1].ends, more[1].ends[:904])
    assert not np.any(drawn("ddpm", "bimodal", 50, seed=1)[0].ends == some[0].ends[:50])


def test_one_process_two_processes_and_a_file_hold_the_same_bits(run, tmp_path):
    arguments = "sample", "ring", "--steps", 5, "-n", 6000, "--sampler", "ddpm"
    for workers in (1, 2):
        code, _, err = run(*arguments, "--workers", workers, "--out", tmp_path / f"{workers}.npy")
        assert code == 0, err
    one, two = (np.load(tmp_path / f"{workers}.npy") for workers in (1, 2))
    assert one.shape == (6000, 2)
    assert np.array_equal(one, two)


def test_the_table_says_how_far_from_the_law_and_how_far_a_perfect_sampler_is(run):
    code, out, _ = run("sample", "gaussian", "--sampler", "dpmpp-2m", "--sampler", "naive", "-n", 2000)
    assert code == 0
    assert "a perfect sampler" in out
    assert "2,000 draws each, 50 steps of the grid trailing, schedule linear, seed 0" in out
    far = {line.split()[0]: float(line.split()[3]) for line in out.splitlines() if line.startswith((" dpm", " naive"))}
    assert far["dpmpp-2m"] < 0.1 < 10 < far["naive"]


def test_sample_as_json(run):
    code, out, _ = run("sample", "ring", "--sampler", "ddpm", "--sampler", "heun(churn=3)", "-n", 500, "--json")
    assert code == 0
    report = valid("sample", out)
    assert [entry["sampler"] for entry in report["samples"]] == ["ddpm", "heun(churn=3)"]
    assert report["samples"][1]["evaluations"] == 2 * 50 - 1
    assert {entry["id"] for entry in report["claims"]} >= {"sampler.ddpm-strided", "sampler.karras-schedule"}
    assert json.loads(out)["perfect"]["distance"] > 0


def test_a_run_can_be_repeated_from_its_json(run, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(EXAMPLE)
    arguments = "--sampler", "dpmpp-2m", "--steps", 7, "--grid", "leading", "--schedule", "cosine", "-n", 200
    _, out, _ = run("sample", mine, *arguments, "--prediction", "v", "--from-law", "--seed", 3, "--json")
    report = valid("sample", out)
    asked = report["asked"]
    law, on = described(asked["given"]), sampling.grid(asked["grid"], asked["steps"], asked["schedule"])
    (sampler,) = (entry["sampler"] for entry in report["samples"])
    table = sampling.table(sampler, on, asked["prediction"])
    (part,) = parts(sampler, law, table, asked["draws"], report["seed"], asked["from_law"], asked["device"])
    again = sampling.Law(law, asked["draws"], report["seed"]).off(next(draws(part)).ends)
    assert again == tuple(report["samples"][0][name] for name in ("distance", "mean_off", "variance"))
    _, out, _ = run("sample", "gaussian", "--grid", "karras", "-n", 10, "--json")
    assert (valid("sample", out)["asked"]["given"], json.loads(out)["asked"]["schedule"]) == (None, None)


def test_a_perfect_sampler_has_a_spread_in_every_column(run):
    _, out, _ = run("sample", "bimodal", "-n", 500, "--steps", 5)
    (line,) = (line for line in out.splitlines() if "±" in line and "chance" not in line)
    assert [float(x) > 0 for x in line.replace("±", "").split()] == [True] * 3
    assert "500 draws each, 5 steps of the grid trailing, schedule linear, seed 0" in out
    _, out, _ = run("sample", "bimodal", "-n", 500, "--steps", 1)
    assert "1 step of" in out


@pytest.mark.parametrize("world", ["bimodal", "ring"])
def test_the_table_fits_80_columns_and_long_names_are_whole(run, monkeypatch, world):
    monkeypatch.setattr("noiseproof.tables.plain_width", 80)
    name = "heun(churn=40,least=0.05,most=50,swell=1.003)"
    _, out, _ = run("sample", world, "-n", 50, "--steps", 5, "--grid", "karras", "--sampler", name)
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= 80
    names = (line[: out.splitlines()[1].index("network") - 7].strip() for line in out.splitlines())
    assert name in "".join(names).replace(" ", "")


def test_help_names_what_there_is(run):
    """What --help says of itself, without importing it, is what there is; its example is a world."""
    assert tuple({**sampling.OF_A_SCHEDULE, **sampling.WITHOUT_ONE}) == sample.GRIDS
    assert tuple(sampling.SCHEDULES) == sample.SCHEDULES
    assert tuple(KINDS) == sample.PREDICTIONS
    said = {
        name: {option: float(value) for option, _, value in (o.strip().partition("=") for o in of.split(",") if o)}
        for name, of in sample.SAMPLERS.items()
    }
    assert said == {name: methods.options(method) for name, method in methods.METHODS.items()}
    code, out, _ = run("sample", "--help")
    assert code == 0
    words = out.replace("\n", " ")
    for name in ("euler-maruyama", "ddim(eta=0)", "swell", "repeats", "delta", *EXAMPLE.splitlines()):
        assert name in words
    assert described(tomllib.loads(EXAMPLE)).dimension == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["point", "bimodal", "crossing", "three.toml"])
def test_every_dimension_is_drawn(run, tmp_path, name):
    pytest.importorskip("matplotlib", reason="figures are drawn by matplotlib: pip install 'noiseproof[docs]'")
    (tmp_path / "three.toml").write_text("means = [[1, 2, 3]]\nvariances = 0.5")
    of = tmp_path / name if name.endswith(".toml") else name
    for ending in (".svg", ".npz"):
        path = tmp_path / f"figure{ending}"
        code, _, err = run(
            "sample", of, "--sampler", "ddpm", "--sampler", "dpmpp-2m", "-n", 300, "--steps", 4, "--out", path
        )
        assert code == 0, err
    with np.load(tmp_path / "figure.npz") as arrays:
        assert sorted(arrays) == ["ddpm", "dpmpp-2m"]
        assert len(arrays["ddpm"]) == 300
    assert "distance" in (tmp_path / "figure.svg").read_text() or (tmp_path / "figure.svg").stat().st_size > 5000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["figure.npz", "figure.svg", "three.toml"]


def test_a_file_that_is_there_is_kept_unless_forced(run, tmp_path):
    path = tmp_path / "x.npy"
    path.write_text("mine")
    code, _, err = run("sample", "point", "-n", 10, "--steps", 2, "--out", path)
    assert (code, path.read_text()) == (4, "mine")
    assert "exists already" in err
    assert run("sample", "point", "-n", 10, "--steps", 2, "--out", path, "--force")[0] == 0
    assert np.load(path).shape == (10,)


def test_only_the_first_sentence_of_torch_is_passed_on(monkeypatch):
    torch = pytest.importorskip("torch")

    def refuse(*_, **more):
        raise RuntimeError("There is no such device. Set a variable and report a bug.\nMore lines")

    monkeypatch.setattr(torch, "zeros", refuse)
    with pytest.raises(NoSampler, match=r"the device mps: There is no such device; leave --device out"):
        sampling.available("mps")


REFUSED = [
    (["moon"], "there is no world called 'moon'; there are point, gaussian"),
    (["Rings"], "there is no world called 'Rings'; did you mean ring?"),
    (["ring", "--sampler", "unipc"], "there is no sampler called 'unipc'; there are ddpm"),
    (["ring", "--sampler", ""], "there is no sampler called ''; there are ddpm"),
    (["ring", "--sampler", "DDIM"], "there is no sampler called 'DDIM'; did you mean ddim?"),
    (["ring", "--sampler", "ddim(eta=0.5"], "ddim(eta=0.5: the bracket is not closed"),
    (["ring", "--sampler", "ddim(eta=0.5,eta=0.7)"], "eta is given twice"),
    (["ring", "--sampler", "heun(churn=-1)"], "churn = -1; expected a number from 0 on"),
    (["ring", "--sampler", "heun(churn=inf)"], "churn = inf; expected a number from 0 on"),
    (["ring", "--sampler", "heun(least=2, most=1)"], "least = 2 and most = 1; expected 0 <= least <= most"),
    (["ring", "--sampler", "heun(swell=-1)"], "swell = -1; expected a number above 0"),
    (["ring", "--grid", "karras", "--schedule", "cosine"], "--schedule cosine means nothing on the grid karras"),
    (["ring", "--grid", "flow", "--sampler", "euler-maruyama"], "with some signal, as the grid trailing does"),
    (["ring", "--sampler", "ddim(eta)"], "expected options such as eta=0.5"),
    (["ring", "--sampler", "ddim(eta=x)"], "expected options such as eta=0.5"),
    (["ring", "--sampler", "ddim(eta=nan)"], "expected options such as eta=0.5"),
    (["ring", "--sampler", "ddim(beta=1)"], "ddim has no option beta; it takes eta"),
    (["ring", "--sampler", "ddpm(eta=1)"], "ddpm has no option eta; it takes none"),
    (["ring", "--sampler", "ddim(eta=2)"], "eta = 2"),
    (["ring", "--steps", "0"], "a whole number from 1 to 1000"),
    (["ring", "--steps", "1001"], "from 1 to 1000 (the grids uniform, log-snr, karras and flow take as many"),
    (["ring", "--grid", "flow", "--sampler", "heun"], "begins at alpha_bar = 0"),
    (["ring", "--grid", "flow", "--sampler", "ddpm", "--prediction", "noise"], "says nothing about x_0"),
    (["ring", "--out", "a.txt"], "expected a name that ends in .npy, .npz"),
    (["ring", "--out", "none/a.npy"], "cannot write none/a.npy: No such file or directory"),
    (["ring", "--sampler", "ddim", "--sampler", "ddpm", "--out", "a.npy"], "write .npz"),
    (["ring", "-n", "1"], "1 is not in the range"),
    (["ring", "--device", "tpu9"], "torch cannot use the device tpu9"),
    (["ring", "--device", "tpu9"], "leave --device out to draw with NumPy"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(a) for a, _ in REFUSED])
def test_what_cannot_be_done_is_said_before_anything_is_drawn(run, monkeypatch, arguments, message):
    if "--device" in arguments:
        pytest.importorskip("torch")
    monkeypatch.setattr(sampling, "draws", None)
    code, out, err = run("sample", *arguments)
    assert (code, out) == (4, "")
    assert " ".join(message.split()) in " ".join(err.split())


def test_a_figure_that_nothing_can_draw_is_refused_before_anything_is_drawn(run, monkeypatch, tmp_path):
    monkeypatch.setattr(sampling, "draws", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = run("sample", "ring", "--out", tmp_path / "ring.svg")
    assert (code, out) == (4, "")
    assert "this figure needs matplotlib: pip install 'noiseproof[docs]'" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_torch_in_single_precision_draws_nearly_the_same(run, tmp_path):
    pytest.importorskip("torch")
    for k, device in enumerate(([], ["--device", "cpu"])):
        arguments = "sample", "crossing", "-n", 400, "--steps", 10, "--sampler", "ddpm", *device, "--workers", 1
        assert run(*arguments, "--out", tmp_path / f"{k}.npy")[0] == 0
    exact, single = (np.load(tmp_path / f"{k}.npy") for k in (0, 1))
    assert np.max(np.abs(exact - single)) < 1e-3
    assert not np.array_equal(exact, single)


def test_a_device_draws_the_same_particles_in_every_part():
    pytest.importorskip("torch")
    exact, single = (drawn("ddpm", "bimodal", 4100, device=device) for device in (None, "cpu"))
    assert len(exact) == len(single) == 2
    for one, other in zip(exact, single):
        assert np.max(np.abs(one.ends - other.ends)) < 1e-3
        assert not np.array_equal(one.ends, other.ends)
        assert np.array_equal(one.ways, other.ways)


def test_a_part_that_fails_is_named_and_nothing_is_written(run, monkeypatch, tmp_path):
    def broken(part: Part):
        raise FloatingPointError("row 3: not finite")
        yield

    monkeypatch.setattr(sampling, "draws", broken)
    code, out, err = run("sample", "ring", "--workers", 1, "--sampler", "ddpm", "--out", tmp_path / "a.npy")
    assert (code, out) == (4, "")
    assert "ddpm part 0: FloatingPointError: row 3: not finite" in err
    assert not list(tmp_path.iterdir())


def test_options_are_read_as_they_are_typed():
    grid = sampling.grid("karras", 5)
    assert sampling.table("heun( churn = 2 , swell=1.003)", grid).stochastic
    assert sampling.table("heun(churn=2, most=inf)", grid).stochastic
    for typed in ("ddim(eta=0.5", "ddim(eta=0.5) x", "ddim(eta=0.5))", "(eta=0.5)"):
        with pytest.raises(NoSampler):
            sampling.table(typed, grid)
