"""Figures of draws are legible with any number of samplers, and say what they show."""

import numpy as np
import pytest

from noiseproof import sampling
from noiseproof.figures.drawing import STYLE
from noiseproof.sampling import Asked, Law, Sampling, around, draws, parts
from noiseproof.worlds import world

matplotlib = pytest.importorskip("matplotlib")
LONG = "heun(churn=40,least=0.05,most=50,swell=1.003)"
MANY = "dpmpp-2m", "ddpm", LONG, "langevin(delta=0.2,repeats=10)", "naive"


def drawn(name, samplers, grid="trailing", n=200):
    """The figure of a few draws in six steps."""
    from noiseproof.figures.samples import samples

    law, on = world(name), sampling.grid(grid, 6)
    tables = {sampler: sampling.table(sampler, on) for sampler in samplers}
    run = Sampling(law, tables, [], 0)
    for sampler, table in tables.items():
        run.found[sampler] = [next(draws(part)) for part in parts(sampler, law, table, n, 0, False, None)]
    held_to = Law(law, n, 0)
    asked = Asked(name, None, grid, 6, "linear", n, "x_0", False, None)
    outcomes = [run.outcome(sampler, held_to) for sampler in samplers]
    with matplotlib.rc_context(STYLE):
        return samples(law, outcomes, held_to.perfect(n), f"{name}: {asked}, seed 0")


def words_of(picture):
    """The words that are drawn, and where they are."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    drawn, draw = [], Text.draw
    with matplotlib.rc_context(STYLE), pytest.MonkeyPatch.context() as patch:
        renderer = FigureCanvasAgg(picture).get_renderer()
        picture.draw(renderer)
        patch.setattr(Text, "draw", lambda self, *args, **more: (drawn.append(self), draw(self, *args, **more))[1])
        picture.draw(renderer)
        seen = [w for w in dict.fromkeys(drawn) if w.get_text().strip() and w.get_visible()]
        return [(w.get_text(), w.get_window_extent(renderer)) for w in seen]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize(("name", "grid"), [("ring", "karras"), ("ring", "trailing"), ("bimodal", "karras")])
def test_no_word_is_cut_off_or_lies_on_another(name, grid, count):
    picture = drawn(name, MANY[:count], grid)
    words = words_of(picture)
    for k, (word, box) in enumerate(words):
        assert picture.bbox.contains(box.x0, box.y0), word
        assert picture.bbox.contains(box.x1, box.y1), word
        for other, there in words[:k]:
            assert not box.overlaps(there), (word, other)


@pytest.mark.parametrize(("name", "measure"), [("bimodal", "W₂"), ("ring", "sliced W₂")])
def test_a_figure_says_what_it_shows(name, measure):
    words = [word for word, _ in words_of(drawn(name, MANY[:2]))]
    everything = "\n".join(words)
    assert f"{name}: 200 draws each, 6 steps of the grid trailing, schedule linear, seed 0" in words
    assert f"dpmpp-2m\n{measure} 0." in everything
    assert "(perfect 0." in everything
    assert any("of the ways" in word for word in words)
    assert "√(a² + b²)" not in everything
    assert "√(a² + b²)" in "\n".join(word for word, _ in words_of(drawn(name, MANY[:1], "karras")))


@pytest.mark.parametrize("name", ["point", "bimodal"])
def test_no_way_leaves_the_panel_and_shares_have_one_scale(name):
    picture = drawn(name, ("ddim", "ddpm", "naive"))
    panels = [axes for axes in picture.axes if axes.get_ylabel().startswith("x")]
    assert len(panels) == 3
    for axes in panels:
        lo, hi = axes.get_ylim()
        assert all(lo <= np.min(line.get_ydata()) <= np.max(line.get_ydata()) <= hi for line in axes.lines)
    scales = {axes.get_xlim() for axes in picture.axes if axes not in panels}
    assert len(scales) == 1
    ((_, edge),) = scales
    for axes in picture.axes:
        for patch in axes.patches:
            assert 0.01 * edge < np.max(np.asarray(patch.get_path().vertices)[:, 0]) <= edge  # seen, and not cut off


def test_the_same_draws_give_the_same_bytes(tmp_path):
    from noiseproof.figures import in_style, save

    for name in ("one.svg", "other.svg"):
        with in_style():
            save(drawn("ring", MANY[:2]), tmp_path / name, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_a_number_has_the_digits_that_its_spread_leaves():
    assert around(0.06314, 0.02079) == "0.063 ± 0.021"
    assert around(49331.4, 548.2) == "49331 ± 548"
    assert around(0.0, 1e-17) == "0"
