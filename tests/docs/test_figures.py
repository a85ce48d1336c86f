"""The drawings of the book: drawn again they are the files, light and dark agree, and both can be read."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.legible import obstacles

matplotlib = pytest.importorskip("matplotlib")

from docs.figures import DRAWINGS, __main__, colours, drawn_by  # noqa: E402
from docs.figures.colours import BRIGHT, INK, ON_DARK, PALE, PAPER, NoCounterpart, contrast, darkened  # noqa: E402
from docs.figures.drawn import BOOK, HERE, drawn, files, shortened  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TRAINED = ("ppca-collapse", "optimal-discriminator", "simple-loss", "digits")  # or run for a minute
QUICK = [name for name in DRAWINGS if name not in TRAINED]
FOR_TORCH = {"ppca-collapse", "optimal-discriminator", "simple-loss", "dirac-orbits"}

PAGES = {"light": (PAPER,), "dark": (ON_DARK[PAPER], "#0d1117")}  # furo's and GitHub's
WORDS, LINES = 4.5, 3.0  # the least contrasts
SVG = "{http://www.w3.org/2000/svg}"


def read(name: str) -> tuple[str, str]:
    light, dark = (path.read_text(encoding="utf-8") for path in files(name))
    return light, dark


def needs(name: str) -> None:
    if name in FOR_TORCH:
        pytest.importorskip("torch")
    if name in ("digits", "ppca-collapse"):
        pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def pinned():
    """The versions that the files were drawn with; others set words and compress pictures a little differently."""
    pins = dict(re.findall(r"^(matplotlib|pillow)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    here = {library: version(library) for library in pins}
    if here != pins:
        pytest.skip(f"the drawings are those of {pins}, and here is {here}")


# ---------------------------------------------------------------- the files are what is drawn


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_drawn_again_it_has_the_same_bytes(name, pinned):
    needs(name)
    assert drawn(name) == read(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_trained_again_it_looks_the_same(name, pinned):
    """Another processor rounds otherwise, and a training makes more of it; a point on the page is not to be seen."""
    needs(name)
    again, there = drawn(name)[0], read(name)[0]
    assert apart(again, there) < 1


def apart(one: str, other: str) -> float:
    """The largest distance of two numbers in drawings that have all words and elements in common, else infinity."""
    number = re.compile(r'(?<=[ "(])-?\d+(?:\.\d+)?(?=[ ")])')
    if number.sub("n", one) != number.sub("n", other):
        return np.inf
    here, there = (np.array([float(n) for n in number.findall(svg)]) for svg in (one, other))
    return float(np.max(np.abs(here - there)))


def test_apart_sees_a_point_that_moved_and_a_word_that_changed():
    here = '<path d="M 1 2 L 3.5 4" style="fill: none"/><!-- 7 nats -->'
    assert apart(here, here) == 0
    assert apart(here, here.replace("3.5", "-3")) == 6.5
    assert apart(here, here.replace("nats", "bits")) == np.inf
    assert apart(here, here.replace("L 3.5 4", "")) == np.inf


@pytest.mark.parametrize("name", DRAWINGS)
def test_the_dark_one_is_the_light_one_in_other_colours(name, pinned):
    light, dark = read(name)
    assert darkened(light) == dark
    assert set(colours.used(dark)) <= set(ON_DARK.values())
    bare = [colours.PICTURE.sub("", re.sub(r"#\w{6}\b", "", svg)) for svg in (light, dark)]
    assert bare[0] == bare[1].replace(" svg{fill: }", "")


def test_every_drawing_has_its_two_files_and_there_is_no_other():
    wanted = {path.name for name in DRAWINGS for path in files(name)}
    assert {path.name for path in HERE.glob("*.svg")} == wanted


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_shows_drawings_that_there_are_light_and_dark(name):
    shown = re.findall(r"docs/figures/([\w-]+)\.svg", (ROOT / name).read_text(encoding="utf-8"))
    light = [drawing for drawing in shown if not drawing.endswith("-dark")]
    assert sorted(light) == sorted(drawing.removesuffix("-dark") for drawing in shown if drawing.endswith("-dark"))
    assert {"naive-chain", "digits"} <= set(light) <= set(DRAWINGS)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_file_is_small_has_no_date_and_no_paper(name):
    for svg in read(name):
        assert len(svg.encode()) < 300_000
        assert "dc:date" not in svg
        assert "Matplotlib" not in svg
        assert "\r" not in svg
        (paper,) = [part for part in ElementTree.fromstring(svg).iter() if part.get("id") == "patch_1"]
        assert paper[0].get("style") == "fill: none"


# ---------------------------------------------------------------- legible, light and dark


def painted(svg: str) -> Iterator[tuple[str, str]]:
    """(what, colour) of every word and line: black where nothing is said, or what the style sheet says of it."""
    root = ElementTree.fromstring(svg)
    (default,) = re.findall(r"svg\{fill: (#\w{6})\}", svg) or [INK]
    for group in root.iter(f"{SVG}g"):
        if (group.get("id") or "").startswith("text_"):
            for part in group.iter():
                if part.tag in (f"{SVG}g", f"{SVG}use"):
                    yield "word", (re.findall(r"fill: (#\w{6})", part.get("style") or "") or [default])[0]
    for part in root.iter():
        for colour in re.findall(r"stroke: (#\w{6})", part.get("style") or ""):
            yield "line", colour


@pytest.mark.parametrize("name", DRAWINGS)
def test_words_and_lines_stand_out_from_the_page(name):
    for svg, (page, grounds) in zip(read(name), PAGES.items()):
        spared = {PALE, ON_DARK[PALE], PAPER, ON_DARK[PAPER]}  # rules behind the curves; the edge of something filled
        seen = set(painted(svg))
        assert any(what == "word" for what, _ in seen)
        for what, colour in seen:
            for ground in grounds:
                least = {"word": WORDS, "line": 0 if colour in spared else LINES}[what]
                assert contrast(colour, ground) >= least, (page, what, colour, ground)


def test_contrast_is_that_of_the_guidelines():
    assert contrast(INK, PAPER) == pytest.approx(21)
    assert contrast("#777777", PAPER) == pytest.approx(4.48, abs=0.005)  # the example that fails by a little
    assert contrast(PAPER, "#767676") == pytest.approx(4.54, abs=0.005)  # and the one that does not


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_drawing_can_be_read(name):
    """At the width of the page, and half of it: 16 cm, letters of 9 points at least, none over another or a curve."""
    from matplotlib.text import Text

    needs(name)
    with matplotlib.rc_context(BOOK):
        picture = DRAWINGS[name]()
        assert obstacles(picture) == []
    assert picture.get_figwidth() * 2.54 == pytest.approx(16)
    sizes = {word.get_text(): float(word.get_fontsize()) for word in picture.findobj(Text) if word.get_text().strip()}
    assert min(sizes.values()) >= 9, sizes


# ---------------------------------------------------------------- colours


def test_the_palette_is_told_apart_by_lightness_on_both_pages():
    """What is not told apart by words: the two main colours, ink, grey, and areas."""
    light = [INK, colours.DARK, BRIGHT, PALE, PAPER]
    for ladder in (light, [ON_DARK[colour] for colour in light]):
        steps = [contrast(one, other) for one, other in pairwise(ladder)]
        assert min(steps) > 1.3, steps
    assert len(set(ON_DARK.values())) == len(ON_DARK)


def small(colour: str = BRIGHT, **more) -> str:
    """A drawing of one word and one line in this colour."""
    import io

    from matplotlib.figure import Figure

    picture = Figure(figsize=(1, 1))
    picture.text(0.5, 0.5, "word", color=colour)
    axes = picture.subplots()
    axes.plot([0, 1], color=colour)
    if more:
        axes.imshow(**more)
    file = io.StringIO()
    with matplotlib.rc_context(BOOK):
        picture.savefig(file, format="svg", transparent=True)
    return shortened(file.getvalue())


def test_a_colour_without_a_counterpart_is_an_error():
    assert ON_DARK[BRIGHT] in darkened(small())
    with pytest.raises(NoCounterpart, match=r"no dark counterpart of #123456; the palette of the book: #000000"):
        darkened(small("#123456"))


def test_what_is_black_by_default_is_light_on_dark_pages():
    assert f"svg{{fill: {ON_DARK[INK]}}}" in darkened(small(INK))
    with pytest.raises(NoCounterpart, match="black by default"):
        darkened(small().replace("stroke-linejoin", "stroke-miterlimit"))


def test_a_picture_in_grey_is_turned_and_one_in_colours_is_an_error():
    import base64
    import io

    from PIL import Image

    seen = np.ma.masked_invalid([[0.0, 1.0, np.nan]])
    svg = darkened(small(X=seen, cmap="gray", interpolation="none"))
    ((png),) = colours.PICTURE.findall(svg)
    pixels = np.array(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"))
    found = {tuple(int(c) for c in pixel) for pixel in pixels.reshape(-1, 4)}
    assert found == {(*colours.parts(ON_DARK[INK]), 255), (*colours.parts(ON_DARK[PAPER]), 255), (0, 0, 0, 0)}
    with pytest.raises(NoCounterpart, match="shades of grey"):
        darkened(small(X=seen, cmap="viridis", interpolation="none"))


# ---------------------------------------------------------------- what is drawn is true


def curves(name: str, part: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """What is plotted in one part of a drawing."""
    needs(name)
    with matplotlib.rc_context(BOOK):
        axes = DRAWINGS[name]().axes[part]
    return [(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)) for line in axes.lines]


def test_prior_times_likelihood_lies_on_the_posterior():
    (x, exact), *_, (at, product) = curves("naive-one-step", 2)
    assert np.interp(at, x, exact) == pytest.approx(product, rel=1e-10)
    likelihood = curves("naive-one-step", 1)[0][1]
    for density in (exact, likelihood, curves("naive-one-step", 0)[0][1]):
        assert np.sum(density) * (x[1] - x[0]) == pytest.approx(1, abs=1e-3)
    assert np.max(np.abs(exact - likelihood)) > 0.3  # there is something to see


@pytest.mark.slow
def test_particles_lie_on_the_lines_of_the_naive_chain():
    from docs.figures.naive_chain import PARTICLES

    parts = [curves("naive-chain", part) for part in range(3)]
    (spreads,) = [part for part in parts if len(part) == 4]
    for (t, line), (at, dots) in (spreads[:2], spreads[2:]):
        assert np.interp(at, t, line) == pytest.approx(dots, rel=6 / np.sqrt(2 * PARTICLES))
    (_, exact), _, (_, naive), _ = spreads
    assert (exact[0], naive[0]) == (pytest.approx(1.047, abs=0.01), pytest.approx(222.6, abs=0.1))


def test_the_last_marginal_is_a_standard_normal():
    from docs.figures.forward_marginals import CLUSTERS, TIMES
    from numerics.schedules import linear
    from numerics.worlds import mixture

    w, (m_1, c_1), (m_2, c_2) = CLUSTERS["w"], *((CLUSTERS[f"mu_{k}"], CLUSTERS[f"c_{k}"]) for k in (1, 2))
    data = mixture([w, 1 - w], [m_1, m_2], [c_1, c_2])
    rows = [(x, y) for x, y in curves("forward-marginals") if len(x) > 200]
    assert len(rows) == len(TIMES)
    for t, (x, y) in zip(TIMES, rows):
        law = data.marginal(linear().alpha_bar(t)) if t else data
        assert y - y.min() == pytest.approx(law(x) - law(x).min(), abs=1e-12)


# ---------------------------------------------------------------- the command


def test_the_command_draws_what_is_asked_for(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("docs.figures.drawn.HERE", tmp_path)
    monkeypatch.setattr("docs.figures.drawn.drawn", lambda name: ("light", "dark"))
    assert __main__.main(["naive-chain"]) == 0
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {
        "naive-chain.svg": "light",
        "naive-chain-dark.svg": "dark",
    }
    assert re.fullmatch(
        r"naive-chain: .*naive-chain\.svg and .*-dark\.svg, 0 kB each, \d\.\d s\n", capsys.readouterr().out
    )
    assert __main__.main([]) == 0
    assert {p.stem for p in tmp_path.iterdir()} == {f"{n}{end}" for n in DRAWINGS for end in ("", "-dark")}


def test_an_unknown_name_is_told_the_known_ones(capsys):
    with pytest.raises(SystemExit) as left:
        __main__.main(["naive_chain"])
    assert left.value.code == 2
    assert f"no drawing is called naive_chain; there are {', '.join(DRAWINGS)}" in capsys.readouterr().err


def test_a_missing_library_is_named_with_what_brings_it(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "docs.figures.drawn")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert __main__.main(["elbo-gap"]) == 1
    assert "a drawing needs matplotlib: pip install 'noiseproof[docs]'" in capsys.readouterr().err


def test_the_table_of_drawings_costs_nothing():
    code = "import sys, docs.figures; assert not {'matplotlib', 'torch', 'sympy'} & set(sys.modules), 'loaded'"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_figure_of_a_claim_is_taken_without_its_numbers():
    from matplotlib.figure import Figure

    assert isinstance(drawn_by("noiseproof.figures.elbo", "decomposition")(), Figure)
    with pytest.raises(AttributeError, match="nothing_of_the_sort"):
        drawn_by("noiseproof.figures.elbo", "nothing_of_the_sort")()
