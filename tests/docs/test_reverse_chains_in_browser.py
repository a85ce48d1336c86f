"""The chains of the page "the reverse step" in a real browser, and what all of it looks like."""

import math

import pytest

import noiseproof
from numerics import schedules
from numerics.compiled import formulas
from tests.docs.bare_page import LANGUAGES, change, data_of, opened, state, written
from tests.docs.test_reverse_step import PROMISED

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("reverse-step"))


# Chains


def proved_sigmas(now):
    """Of both chains at this moment, by the proved formulas, from the inputs of the page."""
    every, chain = 1000 // now["chains"]["T"], now["chains"]
    bar_T, bar = (float(schedules.linear().alpha_bar(every * t)) for t in (chain["T"], chain["t"]))
    # From a correct x_T down to t the chain is a whole chain for data that are those of time t.
    added = formulas(noiseproof.claim("reversal.naive-chain"))["added"](alpha_bar_T=bar_T / bar)
    at_t = data_of(now["inputs"]).marginal(bar).variance
    return math.sqrt(at_t), math.sqrt(at_t + added)


def chains_agree(page):
    now = state(page)
    exact, naive = proved_sigmas(now)
    for kind, sigma in (("exact", exact), ("naive", naive)):
        assert now["chains"][f"{kind}_sigma_proved"] == pytest.approx(sigma, rel=PROMISED)
        assert abs(now["chains"][f"{kind}_sigma"] - sigma) < 5 * now["chains"][f"{kind}_sigma_error"]
    places = page.eval_on_selector_all(
        "#reverse-chains data[data-name]", "all => all.map((o) => [o.dataset.name, Number(o.dataset.value)])"
    )
    assert len(places) >= 10
    for name, value in places:
        assert value == now["chains"][name], name
    return now["chains"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_chains_run(browser, folder, language):
    with opened(browser, folder, f"{language}-light") as page:
        assert not state(page)["chains"]["playing"]  # nothing moves by itself
        page.locator("#reverse-chains input[value='10']").check(force=True)
        start = chains_agree(page)
        assert start["t"] == start["T"] == 10
        assert start["exact_sigma"] == start["naive_sigma"]
        page.locator("#rs-one-step").click()
        assert chains_agree(page)["t"] == 9
        page.locator("#rs-play").click()
        page.wait_for_function("window.reverseStep.state().chains.t < 8")
        page.locator("#rs-play").click()
        stopped = chains_agree(page)
        assert not stopped["playing"]
        assert page.locator(".rs-report").text_content()
        page.wait_for_timeout(300)
        assert state(page)["chains"]["t"] == stopped["t"]
        page.locator("#rs-play").click()
        page.wait_for_function("window.reverseStep.state().chains.t === 0")
        end = chains_agree(page)
        assert not end["playing"]
        assert end["naive_sigma"] > 100 * end["exact_sigma"]
        page.locator("#rs-reset").click()
        assert chains_agree(page)["t"] == 10


def test_a_thousand_steps_end_like_ten_and_other_draws_are_others(browser, folder):
    with opened(browser, folder) as page:
        ends = []
        for T, seed in ((10, 3), (50, 3), (200, 3), (1000, 3), (10, 4), (10, 3)):
            change(page, T=T, seed=seed)
            page.evaluate(f"window.reverseStep.advance({T})")
            ends.append(chains_agree(page))
        assert len({end["naive_variance_end"] for end in ends}) == len({end["path_kl"] for end in ends}) == 1
        assert ends[0]["exact_sigma"] == ends[5]["exact_sigma"] != ends[4]["exact_sigma"]
        page.locator("#rs-draws").click()
        assert state(page)["chains"]["seed"] == 4


def test_the_chains_are_those_of_the_data_above(browser, folder):
    with opened(browser, folder) as page:
        change(page, T=50, widening=1000)
        page.evaluate("window.reverseStep.advance(50)")
        flat = chains_agree(page)
        assert flat["naive_sigma_proved"] / flat["exact_sigma_proved"] < 1.2
        change(page, widening=1, components=3, means=[-3.1, 0.4, 2.2])
        again = chains_agree(page)
        assert again["t"] == 50
        page.evaluate("window.reverseStep.advance(20)")
        assert chains_agree(page)["t"] == 30


def test_with_reduced_motion_the_chains_are_ten_pictures(browser, folder):
    with opened(browser, folder, reduced_motion="reduce") as page:
        change(page, T=200)
        page.locator("#rs-run").click()
        page.wait_for_function("window.reverseStep.state().chains.t < 200")
        assert state(page)["chains"]["t"] % 20 == 0
        page.wait_for_function("window.reverseStep.state().chains.t === 0")


# What it looks like


def colours_in(page, selector):
    return page.evaluate(
        """(selector) => {
            const canvas = document.querySelector(selector), { width, height } = canvas;
            const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            const data = copy.getImageData(0, 0, width, height).data, found = {};
            for (let i = 0; i < data.length; i += 4) {
                if (data[i + 3] === 255) {
                    const colour = [data[i], data[i + 1], data[i + 2]].join();
                    found[colour] = (found[colour] || 0) + 1;
                }
            }
            return found;
        }""",
        selector,
    )


def test_both_themes(browser, folder):
    """The colours of the drawings, and their counterparts for dark pages, on screen and on paper."""
    light, dark = {"exact": "23,54,93", "naive": "200,102,10"}, {"exact": "169,205,247", "naive": "224,134,58"}
    stroke = "(kind) => getComputedStyle(document.querySelector(`.rs-strips path.rs-${kind}`)).stroke"
    for theme, colours, other in (("light", light, dark), ("dark", dark, light)):
        with opened(browser, folder, f"en-{theme}") as page:
            for kind, colour in colours.items():
                assert page.evaluate(stroke, kind).replace(" ", "") == f"rgb({colour})"
                assert colours_in(page, ".rs-deviations").get(colour, 0) > 20
                assert other[kind] not in colours_in(page, ".rs-deviations")
            page.evaluate(f"document.body.dataset.theme = '{'light' if theme == 'dark' else 'dark'}'")
            page.wait_for_timeout(100)
            for kind, colour in other.items():
                assert page.evaluate(stroke, kind).replace(" ", "") == f"rgb({colour})"
                assert colours_in(page, ".rs-deviations").get(colour, 0) > 20
    with opened(browser, folder, "en-dark") as page:
        page.emulate_media(media="print")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        for kind, colour in light.items():
            assert page.evaluate(stroke, kind).replace(" ", "") == f"rgb({colour})"
            assert colours_in(page, ".rs-deviations").get(colour, 0) > 20
        assert page.locator(".rs-experiments").is_hidden()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_sticks_out_and_nothing_jumps(browser, folder, language, width):
    with opened(browser, folder, f"{language}-light", width=width) as page:
        page.evaluate("""() => { window.jumped = 0; new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.jumped += entry.value;
        }).observe({ type: "layout-shift", buffered: true }); }""")
        page.wait_for_timeout(400)
        assert page.evaluate("window.jumped") < 0.01
        change(page, components=3)
        page.wait_for_timeout(400)
        page.evaluate("window.jumped = 0")  # a third component has a line of its own
        for numbers in ({}, {"beta": 1e-4, "x_t": -4.5, "means": [-4, 4, -3.9]}, {"widening": 1000}):
            change(page, **numbers)
            page.evaluate("window.reverseStep.advance(200)")
            page.wait_for_timeout(400)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            out = page.evaluate("""() => [...document.querySelectorAll('.rs *')].filter((e) => !e.closest('svg')
                && e.getClientRects().length && e.getBoundingClientRect().right > innerWidth - 15)
                .map((e) => `${e.className || e.tagName} ${e.textContent.slice(0, 30)}`)""")
            assert out == []
            cut = page.evaluate("""() => [...document.querySelectorAll('.rs-caption')]
                .filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)
                .map((e) => e.textContent)""")
            assert cut == []
        heights = "[...document.querySelectorAll('.rs')].map((e) => e.getBoundingClientRect().height)"
        before = page.evaluate(heights)
        for beta in (1e-4, 0.0123, 0.3, 0.9):
            change(page, beta=beta, x_t=-2.3456 * beta, alpha_bar_prev=0.0101 + beta, widening=1 + beta)
            page.wait_for_timeout(350)
            assert page.evaluate(heights) == before
        assert page.evaluate("window.jumped") < 0.01


def test_without_javascript_there_is_a_sentence(browser, folder):
    with opened(browser, folder, java_script_enabled=False) as page:
        assert page.locator("noscript p").bounding_box()["height"] > 0
        assert "needs JavaScript" in page.locator("noscript p").text_content()
