"""The drawings of the book, second half: what each of them shows is so."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")

from docs import figures  # noqa: E402
from docs.figures import (  # noqa: E402
    conformance_matrix,
    ddim_shrinkage,
    edm_preconditioning,
    guidance,
    kl_per_step,
    measured,
    orders,
    peer_bars,
    roofline,
)
from docs.figures.drawn import BOOK  # noqa: E402
from noiseproof.figures.drawing import BRIGHT, DARK, GREY, PALE  # noqa: E402
from tests.legible import obstacles  # noqa: E402

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
MINE = (
    "kl-per-step",
    "ddim-shrinkage",
    "orders",
    "edm-preconditioning",
    "guidance-does-not-commute",
    "roofline",
    "peer-bars",
    "conformance-matrix",
)


@pytest.fixture(scope="module")
def pictures():
    """Each drawing as a figure, drawn when it is asked for and once."""
    made = {}

    def of(name):
        if name not in made:
            with matplotlib.rc_context(BOOK):
                made[name] = figures.DRAWINGS[name]()
                made[name].draw_without_rendering()
        return made[name]

    return of


def words(picture):
    return [text.get_text() for axes in picture.axes for text in axes.texts]


def results(name):
    return json.loads((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MINE)
def test_no_word_is_cut_off_or_lies_on_another_or_on_a_curve(name, pictures):
    with matplotlib.rc_context(BOOK):
        assert obstacles(pictures(name)) == []


@pytest.mark.parametrize("name", MINE)
def test_it_has_a_caption_and_an_alternative_text(name):
    text = (ROOT / "docs" / "figures" / "captions.md").read_text(encoding="utf-8")
    sections = {part.split("\n", 1)[0].strip(): part for part in text.split("\n## ")[1:]}
    assert name in sections
    caption, _, alt = sections[name].split("\n", 1)[1].strip().partition("\n\nAlt: ")
    assert 60 < len(caption) < 700
    assert 60 < len(alt.strip()) < 500
    assert "\n\n" not in caption
    assert "$" not in alt


# ---------------------------------------------------------------- what a step costs


@pytest.fixture(scope="module")
def costs():
    return {name: kl_per_step.costs(kernel) for name, kernel in kl_per_step.KERNELS.items()}


@pytest.mark.parametrize(("name", "slope"), [("naive", 1), ("DDPM's", 2), ("best", 3)])
def test_the_slope_of_the_integrals_is_what_is_written_beside_them(name, slope, costs, pictures):
    of = costs[name]
    steps = np.diff(np.log(kl_per_step.BETAS))
    seen = np.diff(np.log(of.integrated)) / steps
    assert seen[0] == pytest.approx(slope, abs=0.03)
    assert abs(seen[0] - slope) < abs(seen[3] - slope)  # and the smaller the step, the closer
    assert of.integrated[0] == pytest.approx(of.leading(kl_per_step.BETAS[0]), rel=0.02)
    assert sum(f"slope {slope}" in text for text in words(pictures("kl-per-step"))) == 1


def test_the_naive_kernel_costs_most_at_every_step(costs):
    assert np.all(costs["naive"].integrated > costs["DDPM's"].integrated)
    assert np.all(costs["DDPM's"].integrated > costs["best"].integrated)


def test_words_along_a_line_are_as_steep_as_it_is(costs, pictures):
    axes = pictures("kl-per-step").axes[0]
    for text, name in zip(axes.texts, kl_per_step.KERNELS, strict=True):
        line = axes.transData.transform([(b, costs[name].leading(b)) for b in (1e-3, 1e-1)])
        slope = np.degrees(np.arctan2(*(line[1] - line[0])[::-1]))
        assert text.get_rotation() == pytest.approx(slope, abs=0.5)


# ---------------------------------------------------------------- DDIM


def test_ddim_ends_where_the_formula_says(pictures):
    ran = np.array([ddim_shrinkage.by_running(n) for n in ddim_shrinkage.STEPS])
    assert ran == pytest.approx(ddim_shrinkage.by_formula(ddim_shrinkage.STEPS), rel=1e-9, abs=1e-12)
    assert np.all(np.diff(ran) > 0)
    assert np.all(ran < ddim_shrinkage.VARIANCE)
    *_, missing = pictures("ddim-shrinkage").axes
    leading, exact, dots = missing.lines
    assert dots.get_ydata() == pytest.approx(1 - ran)
    assert np.all(leading.get_ydata() > exact.get_ydata())
    assert leading.get_ydata()[-1] == pytest.approx(exact.get_ydata()[-1], rel=0.02)


def test_the_ends_of_few_steps_are_densities_of_their_variance(pictures):
    ends, _ = pictures("ddim-shrinkage").axes
    for line, variance in zip(ends.lines, [1.0, *map(ddim_shrinkage.by_formula, ddim_shrinkage.FEW)], strict=True):
        x, density = line.get_data()
        assert np.trapezoid(density, x) == pytest.approx(1, abs=3e-3)
        assert density.max() == pytest.approx(1 / np.sqrt(2 * np.pi * variance), rel=1e-3)


# ---------------------------------------------------------------- EDM


def test_the_scales_meet_the_requirements_that_they_come_from():
    c_in, c_skip, c_out = (edm_preconditioning.scale(name) for name in ("c_in", "c_skip", "c_out"))
    sigma, spread = edm_preconditioning.SIGMAS, edm_preconditioning.SPREAD
    assert c_in**2 * (sigma**2 + spread**2) == pytest.approx(np.ones_like(sigma))
    assert (1 - c_skip) ** 2 * spread**2 + c_skip**2 * sigma**2 == pytest.approx(c_out**2)
    assert edm_preconditioning.weight() * c_out**2 == pytest.approx(np.ones_like(sigma))
    assert np.interp(spread, sigma, c_skip) == pytest.approx(0.5, abs=1e-3)


# ---------------------------------------------------------------- guidance


def test_the_two_laws_agree_without_noise_and_with_noise_guidance_is_narrower():
    both = guidance.Guidance()
    assert both.guided(0.0) == pytest.approx(both.tilted(0.0))
    for sigma in (0.1, 1.0, 3.0):
        assert both.guided(sigma).variance < both.tilted(sigma).variance


def test_the_steps_follow_the_flows():
    both, at = guidance.Guidance(), guidance.AT
    mean, variance = both.tilted(0.0)
    exact, guided = both.flow(both.tilted), both.flow(both.guided)
    assert exact[-1] == pytest.approx(mean + np.sqrt(variance) * guidance.AWAY, abs=2e-3)
    # du = sigma (precision u - pull) dsigma: distances are multiplied by the exponential of the integral
    s, power = guidance.GRID.noises[0] ** 2, (1 + at["w"]) / 2
    kept = (at["c"] / (at["c"] + s)) ** power * (at["C"] / (at["C"] + s)) ** -(at["w"] / 2)
    assert np.ptp(guided[-1]) == pytest.approx(kept * np.ptp(guided[0]), rel=2e-3)
    assert np.ptp(guided[-1]) < 0.5 * np.ptp(exact[-1])


# ---------------------------------------------------------------- orders


def test_every_sampler_of_the_results_is_drawn_once_with_its_order(pictures):
    methods = results("benchmarks/results/orders.json")["methods"]
    for axes, stochastic in zip(pictures("orders").axes, (False, True), strict=True):
        labels = [text.get_text().replace("\n", " ") for text in axes.texts]
        for method in methods:
            held = [of for of in labels if method["method"] in of.rsplit(":", 1)[0].split(", ")]
            assert len(held) == (method["stochastic"] == stochastic), method["method"]
            if held:
                assert float(held[0].rsplit(":", 1)[1]) == pytest.approx(method["declared"], abs=0.05)


def test_the_slopes_of_the_lines_are_the_orders(pictures):
    for axes in pictures("orders").axes:
        for line, text in zip(axes.lines, axes.texts, strict=True):
            steps, errors = line.get_data()
            seen = -np.diff(np.log(errors)) / np.diff(np.log(steps))
            assert seen[-1] == pytest.approx(float(text.get_text().rsplit(":", 1)[1]), abs=0.006)


def test_only_samplers_with_the_same_errors_share_a_line():
    for of in (orders.PATHS, orders.LAWS):
        seen = {line.names[0]: line.errors for line in orders.measured(of)}
        shared = orders.lines(of)
        assert sorted(name for line in shared for name in line.names) == sorted(seen)
        for line in shared:
            assert all(seen[name] == pytest.approx(line.errors, rel=1e-6) for name in line.names)
            others = [other for other in shared if other is not line]
            assert all(other.errors != pytest.approx(line.errors, rel=1e-3) for other in others)


# ---------------------------------------------------------------- benchmarks


@pytest.mark.parametrize(("device", "panel"), [("cpu", 0), ("cuda", 1)])
def test_the_points_under_the_roofs_are_the_results(device, panel, pictures):
    step = measured.row(device, "step-stochastic", roofline.PANELS[device][0])
    axes = pictures("roofline").axes[panel]
    points = [line for line in axes.lines if line.get_linestyle() == "None"]
    seen = {text.get_text(): line.get_xydata()[0] for text, line in zip(axes.texts, points)}
    assert seen.keys() == step["passes"].keys()
    for name, (passes, rate) in seen.items():
        assert passes == step["passes"][name]
        assert rate == pytest.approx(step["elements"] / step["seconds"][name])
    roofs = [line for line in axes.lines if line.get_linestyle() != "None"]
    copy = lambda passes: roofs[0].get_xdata()[0] * roofs[0].get_ydata()[0] / passes
    level = roofs[1].get_ydata()[0] if len(roofs) > 1 else np.inf
    assert all(rate < 1.05 * min(copy(passes), level) for passes, rate in seen.values())
    ours = min(copy(3), level)
    assert seen["ours"][1] == pytest.approx(ours, rel=0.05)  # as fast as the lower roof allows


def test_bars_are_the_results_and_bright_where_a_peer_is_faster(pictures):
    for axes, device in zip(pictures("peer-bars").axes, measured.DEVICES, strict=True):
        rows = [
            measured.row(device, group.workload, group.sizes[device])["ratio"]
            for group in peer_bars.GROUPS
            if device in group.sizes
        ]
        groups = [group for group in peer_bars.GROUPS if device in group.sizes]
        medians = [row[peer][1] for row, group in zip(rows, groups) for peer in group.peers.values()]
        ends = [bar.get_x() + bar.get_width() for bar in axes.patches]
        assert ends == pytest.approx(medians)
        for bar, median in zip(axes.patches, medians, strict=True):
            expected = BRIGHT if median < 1 else DARK
            assert matplotlib.colors.to_hex(bar.get_facecolor()) == expected
        left_out = sum(len(group.peers) for group in peer_bars.GROUPS if device not in group.sizes)
        assert sum(text.get_text() == "–" for text in axes.texts) == left_out


def test_where_peers_are_faster_is_not_left_out(pictures):
    """A group of small steps on the GPU is among the bars, and there torch wins."""
    _, gpu = pictures("peer-bars").axes
    assert min(bar.get_x() + bar.get_width() for bar in gpu.patches) < 0.6


def test_a_file_of_another_device_is_refused(monkeypatch):
    monkeypatch.setitem(measured.DEVICES, "cpu", "Zilog Z80")
    with pytest.raises(ValueError, match=r"cpu\.json is of cpu \(AMD EPYC\); the drawing says Zilog Z80"):
        measured.measured.__wrapped__("cpu")


def test_a_row_that_there_is_not_is_an_error():
    with pytest.raises(ValueError, match=r"cpu\.json has 0 rows of step-stochastic, enormous; expected one"):
        measured.row("cpu", "step-stochastic", "enormous")


# ---------------------------------------------------------------- conformance


@pytest.fixture(scope="module")
def asked():
    """The properties of each sampler of diffusers, as it comes."""
    targets = results("docs/findings/diffusers.json")["targets"]
    return {t["target"]: t["properties"] for t in targets if not t["options"] and t["properties"]}


def test_the_matrix_shows_the_counts_of_the_results(asked, pictures):
    axes = pictures("conformance-matrix").axes[0]
    plain = Counter(of for row in asked.values() for of in row.values() if isinstance(of, str))
    looked_at = [of for row in asked.values() for of in row.values() if not isinstance(of, str)]
    noted, failed = (sum((of["verdict"] == "NOTE") is is_note for of in looked_at) for is_note in (True, False))
    assert sum(plain.values()) + noted + failed == 27 * len(asked)

    def drawn(marker, colour):
        marks = [line for line in axes.lines if (line.get_marker(), line.get_color()) == (marker, colour)]
        return sum(len(line.get_xdata()) for line in marks)

    in_the_key = 1
    assert drawn("s", BRIGHT) == failed + in_the_key
    assert drawn("o", DARK) == noted + in_the_key
    assert drawn("s", PALE) == plain["PASS"] + noted + 2 * in_the_key
    assert drawn("o", GREY) == plain["SKIP"] + in_the_key
    said = {text.split(" ", 1)[1]: int(text.split(" ", 1)[0]) for text in words(pictures("conformance-matrix"))}
    expected = {"hold": plain["PASS"], "noted": noted, "fail: findings": failed, "not asked": plain["SKIP"]}
    assert said == expected


def test_every_mark_of_the_matrix_is_in_its_row_and_column(asked, pictures):
    axes = pictures("conformance-matrix").axes[0]
    samplers = [label.get_text() for label in axes.get_yticklabels()]
    columns = [label.get_text().split()[0] for label in axes.get_xticklabels()]
    assert samplers == [name.removeprefix("diffusers:").removesuffix("Scheduler") for name in asked]
    failures = {
        (sampler, id)
        for sampler, row in zip(samplers, asked.values(), strict=True)
        for id, of in row.items()
        if not isinstance(of, str) and of["verdict"] != "NOTE"
    }
    squares = [line for line in axes.lines if (line.get_marker(), line.get_color()) == ("s", BRIGHT)]
    seen = {(samplers[int(y)], columns[int(x)]) for x, y in squares[0].get_xydata()}
    assert seen == failures


def test_a_failure_without_a_page_is_an_error():
    with pytest.raises(ValueError, match="DDIM, P3: FAIL, and no page of the findings says why"):
        conformance_matrix.verdict("DDIM", "P3", {"verdict": "FAIL", "findings": []})
