"""Figures of claims: legible, whole or not there, and every obstacle has its message."""

import os
import re
import stat
import sys
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text

from noiseproof import cli, figures
from noiseproof.choosing import claim, claims
from noiseproof.figures import FIGURES, NoFigure, figure
from noiseproof.figures.drawing import STYLE, Drawing
from numerics.compiled import formulas
from numerics.schedules import from_alpha_bars, linear
from numerics.solvers.digits import Estimate
from numerics.solvers.digits import experiment as run
from tests.legible import obstacles

matplotlib = pytest.importorskip("matplotlib")
CLAIM = "reversal.posterior-variance"  # has no figure of its own; one is lent to it


def simple():
    from matplotlib.figure import Figure

    picture = Figure(figsize=(1, 1))
    picture.text(0.5, 0.5, "x")
    return Drawing(picture, Text("its numbers"))


@pytest.fixture
def lent(monkeypatch):
    monkeypatch.setitem(FIGURES, CLAIM, simple)


@pytest.fixture
def explain(capfd):
    def command(*arguments):
        arguments = ["explain", *map(str, arguments)]
        code = cli.status(lambda: cli.cli.main(arguments, prog_name="noiseproof", standalone_mode=False))
        return code, *capfd.readouterr()

    return command


# ---------------------------------------------------------------- files


@pytest.mark.parametrize(("suffix", "begins"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_a_figure_is_written_by_its_suffix_the_same_on_any_day(suffix, begins, lent, explain, tmp_path):
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    for path in (one, other):
        code, out, err = explain(CLAIM, "--figure", path)
        assert (code, out.strip(), err) == (0, "its numbers", "")
    assert one.read_bytes().startswith(begins)
    assert one.read_bytes() == other.read_bytes()
    assert sorted(tmp_path.iterdir()) == [one, other]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(one.stat().st_mode) == 0o666 & ~umask


def test_what_is_there_stays_unless_forced(lent, explain, tmp_path):
    path = tmp_path / "it.svg"
    path.write_text("dear")
    code, out, err = explain(CLAIM, "--figure", path)
    assert (code, out) == (4, "")
    assert f"{path} exists already; give another name, or --force to replace it" in err
    assert path.read_text() == "dear"
    assert explain(CLAIM, "--figure", path, "--force")[0] == 0
    assert path.read_text().startswith("<?xml")


def test_a_figure_that_fails_leaves_nothing_and_spoils_nothing(monkeypatch, tmp_path):
    def fails():
        raise ZeroDivisionError

    monkeypatch.setitem(FIGURES, CLAIM, fails)
    path = tmp_path / "it.svg"
    path.write_text("dear")
    with pytest.raises(ZeroDivisionError):
        figure(CLAIM, path, force=True)
    assert [p.read_text() for p in tmp_path.iterdir()] == ["dear"]


@pytest.mark.parametrize("name", ["it.jpg", "it", "it.SVG.txt", "nowhere/it.svg", "folder.svg", "file/it.svg"])
def test_what_cannot_be_written_is_said_before_the_work(name, monkeypatch, explain, tmp_path):
    monkeypatch.setitem(FIGURES, CLAIM, lambda: pytest.fail("drawn in vain"))
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "file").touch()
    code, out, err = explain(CLAIM, "--figure", tmp_path / name, "--force")
    assert (code, out) == (4, "")
    assert err.startswith(f"noiseproof: cannot write {tmp_path / name}: ")
    reason = {
        "nowhere/it.svg": "No such file or directory",
        "folder.svg": "it is a folder",
        "file/it.svg": "Not a directory",
    }
    assert reason.get(name, "expected a name that ends in .svg, .png or .pdf") in err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions bind nobody here")
def test_a_folder_that_may_not_be_written_to(lent, explain, tmp_path):
    tmp_path.chmod(0o500)
    code, _, err = explain(CLAIM, "--figure", tmp_path / "it.svg")
    tmp_path.chmod(0o700)
    assert (code, "Permission denied" in err) == (4, True)


# ---------------------------------------------------------------- claims and extras


def test_every_figure_is_of_a_claim():
    assert set(FIGURES) <= set(claims())


def test_a_claim_without_a_figure_is_told_who_has_one(explain, tmp_path):
    code, _, err = explain("reversal.posterior-mean", "--figure", tmp_path / "it.svg")
    assert code == 4
    assert f"reversal.posterior-mean has no figure; these have one: {', '.join(FIGURES)}" in err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_claim_is_unknown_first(explain, tmp_path):
    code, _, err = explain("reversal.posterior-varianc", "--figure", tmp_path / "it.svg")
    assert (code, "did you mean reversal.posterior-variance" in err) == (4, True)


def test_derivations_or_a_figure(lent, explain, tmp_path):
    code, _, err = explain(CLAIM, "--figure", tmp_path / "it.svg", "--latex")
    assert (code, "ask for one of them" in err) == (4, True)


NEEDED = [(id, "matplotlib", "docs") for id in FIGURES] + [
    (id, "torch", "models") for id in FIGURES if id.startswith(("vae.", "gan.", "vlb."))
]


@pytest.mark.parametrize(
    ("id", "missing", "extra"), [*NEEDED, ("reversal.empirical-kernel", "sklearn.datasets", "models")]
)
def test_a_missing_extra_is_named(id, missing, extra, monkeypatch, tmp_path):
    for module in [m for m in sys.modules if m.split(".")[0] == "models"]:
        monkeypatch.delitem(sys.modules, module)  # as in an interpreter that has not trained anything yet
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(NoFigure, match=rf"{missing if '.' not in missing else 'scikit-learn'}.*noiseproof\[{extra}\]"):
        figure(id, tmp_path / "it.svg")
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- the digits


@pytest.fixture(scope="module")
def found():
    """The experiment in little, twenty steps and few particles, with the words of the large one."""
    pytest.importorskip("sklearn")
    from numerics.worlds.digits import digits

    schedule = from_alpha_bars(linear().alpha_bar(np.arange(50, 1001, 50)))
    little = run(digits()[::6], schedule, particles=16, judged=4, few=5)
    chains = (
        replace(c, steps={20: 1000}.get(c.steps, c.steps), frames={50 * t: x for t, x in c.frames.items()})
        for c in little.chains
    )
    return replace(little, T=1000, last_of_few=200, chains=tuple(chains))


@pytest.mark.parametrize("style", [STYLE, STYLE | {"font.size": 10.5}])
def test_the_figure_of_the_digits_is_legible_and_16_cm_wide(found, style):
    """No word is cut off at the edge, none lies on another or on a picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from noiseproof.figures import digits

    with matplotlib.rc_context(style):
        picture = digits.figure(found)
        assert obstacles(picture) == []
        renderer = FigureCanvasAgg(picture).get_renderer()
        images = [image.get_window_extent(renderer) for axes in picture.axes for image in axes.images]
        words = [(text.get_text(), text.get_window_extent(renderer)) for text in picture.texts]
    assert len(images) == 5 * 6
    assert picture.get_figwidth() * 2.54 == pytest.approx(16)
    for word, box in words:
        assert not any(box.overlaps(image) for image in images), word
    said = " ".join(word for word, _ in words)
    for wanted in ("exact, 1000 steps", "Gaussian, 5 steps", "naive, 1000 steps", "t = 1000", "t = 0", "nats, to"):
        assert wanted in said


@pytest.mark.parametrize("width", [80, 100])
def test_the_numbers_fit_the_terminal(found, width):
    from noiseproof.figures import digits

    console = Console(width=width, record=True, file=StringIO())
    console.print(digits.table(found))
    out = console.export_text()
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= width
    for words in ("the digits", "drawn anew", "exact", "Gaussian", "naive", "memorised"):
        assert words in out


@pytest.mark.parametrize(
    ("estimate", "shown"),
    [
        (None, ""),
        (Estimate(0.0), "0"),
        (Estimate(3e-15), "0"),
        (Estimate(0.29349), "0.293"),
        (Estimate(0.0549), "0.055"),
        (Estimate(2.0156), "2.02"),
        (Estimate(49331.49), "49,331"),
        (Estimate(0.29322, 0.00403), "0.293 ± 0.004"),
        (Estimate(0.00031, 0.000088), "0.0003 ± 0.0001"),
        (Estimate(610.85, 1.086), "611 ± 1"),
        (Estimate(49554.2, 548.1), "49,554 ± 548"),
        (Estimate(-0.011, 0.02), "-0.01 ± 0.02"),
    ],
)
def test_numbers_have_as_many_digits_as_are_known(estimate, shown):
    from noiseproof.figures.digits import number

    assert number(estimate) == shown


def test_the_command_draws_the_digits(found, monkeypatch, tmp_path):
    """From the table of figures to the file, with a small experiment in the place of the large one."""
    from noiseproof.figures import digits

    monkeypatch.setattr(digits, "experiment", lambda: found)
    figures.figure("reversal.empirical-kernel", tmp_path / "digits.png")
    assert (tmp_path / "digits.png").stat().st_size > 20_000


# ---------------------------------------------------------------- curves


def collapsed():
    """The latents as the formulas have them, untrained."""
    pytest.importorskip("sklearn")
    from noiseproof.figures import vae
    from numerics.worlds.digits import digits

    spectrum = np.linalg.eigvalsh(np.cov(digits().T, bias=True))[::-1]
    found = vae.Found(formulas(claim("vae.posterior-collapse")), spectrum, np.empty(0), np.empty(0))
    exact = (found.exact(name, spectrum[: vae.LATENTS]) for name in ("length", "kl"))
    found = vae.Found(found.known, spectrum, *exact)
    return Drawing(vae.figure(found), vae.numbers(found))


def answered():
    """A discriminator that has learnt a little."""
    pytest.importorskip("torch")
    from noiseproof.figures import gan

    found = gan.answers(lambda x: np.array([1 + np.exp(-x), 1 + np.exp(x)]).T / (2 + np.exp(x) + np.exp(-x))[:, None])
    return Drawing(gan.figure_of_answers(found), gan.numbers_of_answers(found))


def predicted():
    """A denoiser that says that most of x_t is noise."""
    pytest.importorskip("torch")
    from noiseproof.figures import vlb

    found = [vlb.seen(t, lambda x_t: 0.9 * x_t) for t in range(1, 6)]
    return Drawing(vlb.figure(found), vlb.numbers(found))


def circling():
    pytest.importorskip("torch")
    return FIGURES["gan.dirac-dynamics"]()


DRAWN = {
    "elbo.decomposition": FIGURES["elbo.decomposition"],
    "vae.posterior-collapse": collapsed,
    "gan.optimal-discriminator": answered,
    "gan.dirac-dynamics": circling,
    "vlb.simple-loss-minimiser": predicted,
}


@pytest.mark.parametrize("id", DRAWN)
def test_a_figure_is_legible_and_16_cm_wide(id):
    with matplotlib.rc_context(STYLE):
        picture = DRAWN[id]().figure
        assert obstacles(picture) == []
    assert picture.get_figwidth() * 2.54 == pytest.approx(16)


@pytest.mark.parametrize("id", DRAWN)
@pytest.mark.parametrize("width", [80, 100])
def test_the_numbers_of_a_figure_fit_the_terminal(id, width):
    with matplotlib.rc_context(STYLE):
        numbers = DRAWN[id]().numbers
    console = Console(width=width, record=True, file=StringIO())
    console.print(numbers)
    assert "…" not in console.export_text(clear=False)
    assert max(map(len, console.export_text().splitlines())) <= width


@pytest.mark.parametrize("id", ["elbo.decomposition", "gan.dirac-dynamics"])
def test_a_figure_has_the_same_bytes_each_time(id, explain, tmp_path):
    pytest.importorskip("torch")
    for name in ("one.svg", "other.svg"):
        assert explain(id, "--figure", tmp_path / name)[0] == 0
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_the_bound_and_the_divergence_add_up_to_the_evidence():
    from noiseproof.figures import elbo

    with matplotlib.rc_context(STYLE):
        console = Console(width=100, record=True, file=StringIO())
        console.print(elbo.decomposition().numbers)
    out = console.export_text()
    (evidence,) = re.findall(r"log p\(x\) = (-\d+\.\d{4})", out)
    assert out.count(evidence + " \n") == 5


@pytest.mark.slow
@pytest.mark.parametrize("id", ["vae.posterior-collapse", "gan.optimal-discriminator", "vlb.simple-loss-minimiser"])
def test_what_is_trained_says_so_and_is_drawn_the_same_each_time(id, explain, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    for name in ("one.svg", "other.svg"):
        code, _, err = explain(id, "--figure", tmp_path / name)
        assert (code, err.endswith(": trained\n")) == (0, True)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
