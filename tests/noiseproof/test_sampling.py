"""``noiseproof sample``: what is drawn, by whom, in how many parts; what is kept; and what is refused before work."""

import json

import numpy as np
import pytest

from noiseproof import cli, sampling
from noiseproof.sampling import NoSampler, Part, draws, parts
from noiseproof.worlds import world
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
    assert "2,000 draws each, seed 0" in out
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


REFUSED = [
    (["moon"], "there is no world called moon"),
    (["ring", "--sampler", "euler2"], "there is no sampler called euler2; there are ddpm"),
    (["ring", "--sampler", "ddim(eta)"], "expected options such as eta=0.5"),
    (["ring", "--sampler", "ddim(eta=x)"], "expected options such as eta=0.5"),
    (["ring", "--sampler", "ddim(eta=nan)"], "expected options such as eta=0.5"),
    (["ring", "--sampler", "ddim(beta=1)"], "ddim has no option beta; it takes eta"),
    (["ring", "--sampler", "ddpm(eta=1)"], "ddpm has no option eta; it takes none"),
    (["ring", "--sampler", "ddim(eta=2)"], "eta = 2"),
    (["ring", "--steps", "0"], "a whole number from 1 to 1000"),
    (["ring", "--steps", "1001"], "a whole number from 1 to 1000"),
    (["ring", "--grid", "flow", "--sampler", "heun"], "begins at alpha_bar = 0"),
    (["ring", "--grid", "flow", "--sampler", "ddpm", "--prediction", "noise"], "says nothing about x_0"),
    (["ring", "--out", "a.txt"], "expected a name that ends in .npy, .npz"),
    (["ring", "--out", "none/a.npy"], "cannot write none/a.npy: No such file or directory"),
    (["ring", "--sampler", "ddim", "--sampler", "ddpm", "--out", "a.npy"], "write .npz"),
    (["ring", "-n", "1"], "1 is not in the range"),
    (["ring", "--device", "tpu9"], "torch cannot use the device tpu9"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=[" ".join(a) for a, _ in REFUSED])
def test_what_cannot_be_done_is_said_before_anything_is_drawn(run, monkeypatch, arguments, message):
    if "--device" in arguments:
        pytest.importorskip("torch")
    monkeypatch.setattr(sampling, "draws", None)
    code, out, err = run("sample", *arguments)
    assert (code, out) == (4, "")
    assert " ".join(message.split()) in " ".join(err.split())


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
    with pytest.raises(NoSampler, match="there is no sampler called"):
        sampling.table("ddim(eta=0.5", grid)
