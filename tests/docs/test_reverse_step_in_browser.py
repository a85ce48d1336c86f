"""The page "the reverse step" in a real browser: what is dragged moves, what is shown equals Python, both chains run.

The markup is that of the chapter in either language, in a bare page of its own, so that nothing else of the book is
needed.
"""

import json
import math
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import noiseproof
from numerics import schedules
from numerics.compiled import formulas
from numerics.schedules import Step
from numerics.worlds import mixture
from tests.docs.test_reverse_step import PROMISED, expected

pytestmark = pytest.mark.slow

DOCS = Path(__file__).resolve().parents[2] / "docs"
LANGUAGES = {"en": "en", "zh": "zh-CN"}
MARKUP = re.compile(r"^```\{raw\} html\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The reverse step</title><style>
  body {{ margin: 0; background: #fff; color: #000; font-family: sans-serif }}
  body[data-theme="dark"] {{ background: #131416; color: #cfd0d0; --color-background-primary: #131416;
    --color-foreground-primary: #cfd0d0; --color-background-secondary: #1a1c1e; --color-background-border: #303335;
    --color-foreground-secondary: #9ca0a5 }}
  main {{ max-width: 44rem; margin: auto; padding: 0 1rem }}
</style></head><body data-theme="{theme}"><main>{markup}</main></body></html>"""


def markup(language):
    return "".join(MARKUP.findall((DOCS / language / "reverse-step.md").read_text(encoding="utf-8")))


def without_words(html):
    return re.sub(r"<noscript>.*?</p>", "<noscript>", html)


def test_both_languages_have_the_same_markup():
    assert without_words(markup("en")) == without_words(markup("zh"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page in both languages and both themes, beside its scripts."""
    made = tmp_path_factory.mktemp("reverse-step")
    shutil.copytree(DOCS / "static", made / "_static", ignore=shutil.ignore_patterns("katex"))
    for language, lang in LANGUAGES.items():
        for theme in ("light", "dark"):
            page = PAGE.format(lang=lang, theme=theme, markup=markup(language))
            (made / f"{language}-{theme}.html").write_text(page, encoding="utf-8")
    return made


@contextmanager
def opened(browser, folder, name="en-light", width=1280, **context):
    """The page, loaded; at the end nothing may have gone wrong in it, and nothing been asked of any other place."""
    wrong = []
    visit = browser.new_context(viewport={"width": width, "height": 900}, **context)
    page = visit.new_page()
    page.set_default_timeout(120_000)  # a machine may be busy with other things
    page.on("console", lambda said: wrong.append(f"{said.type}: {said.text}") if said.type != "log" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"failed: {request.url}"))
    page.on("request", lambda asked: None if asked.url.startswith("file:") else wrong.append(f"off site: {asked.url}"))
    page.goto((folder / f"{name}.html").as_uri())
    yield page
    visit.close()
    assert wrong == []


def state(page):
    return page.evaluate("window.reverseStep.state()")


def change(page, **inputs):
    return page.evaluate(f"window.reverseStep.set({json.dumps(inputs)})")


def agree_with_python(page):
    """All numbers of the state, and all that stand on the page, in full in data-value and rounded for the eye."""
    page.evaluate("window.reverseStep.set({})")
    now = state(page)
    inputs, K = now["inputs"], now["inputs"]["components"]
    weights = np.array(inputs["weights"][:K])
    variances = (np.array(inputs["sigmas"][:K]) * inputs["widening"]) ** 2
    data = mixture(weights / weights.sum(), inputs["means"][:K], variances)
    step = Step(alpha=1 - inputs["beta"], alpha_bar_prev=inputs["alpha_bar_prev"])
    numbers = expected(data, step, inputs["x_t"])
    assert set(now["numbers"]) == set(numbers)
    for name, value in numbers.items():
        assert now["numbers"][name] == pytest.approx(value, rel=PROMISED, abs=1e-9), name
    places = page.eval_on_selector_all(
        "#reverse-step output[data-name]",
        "all => all.filter((o) => !o.closest('[hidden]')).map((o) => [o.dataset.name, o.dataset.value, o.textContent])",
    )
    assert {name for name, *_ in places} > {"exact_mean", "naive_mean", "kl", "kl_rate", "exact_weight_1", "beta"}
    numbers |= {f"sigma_{k + 1}": inputs["sigmas"][k] for k in range(3)}
    numbers |= {f"weight_{k + 1}": inputs["weights"][k] for k in range(3)} | {"widening": inputs["widening"]}
    for name, whole, read in places:
        assert float(whole) == pytest.approx(numbers[name], rel=PROMISED, abs=1e-9), name
        if "·" not in read:
            seen = float(read.replace("−", "-").replace("\u202f", ""))
            assert seen == pytest.approx(numbers[name], rel=5e-3, abs=1e-9), name
    return now


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_shown_equals_python(browser, folder, language):
    points = [
        {},
        {"beta": 0.0173, "alpha_bar_prev": 0.41, "x_t": -1.13},
        {"components": 3, "means": [-2.3, 1.9, 0.4], "sigmas": [0.21, 0.83, 0.06], "weights": [0.31, 0.87, 0.22]},
        {"components": 1, "beta": 0.9, "x_t": 4.5},
        {"components": 2, "widening": 316.0, "beta": 0.22},
    ]
    with opened(browser, folder, f"{language}-light") as page:
        for point in points:
            change(page, **point)
            agree_with_python(page)


def test_every_slider_moves_by_keyboard(browser, folder):
    with opened(browser, folder) as page:
        before = state(page)["inputs"]
        for label, name in (
            ("noise of this step", "beta"),
            ("signal left", "alpha_bar_prev"),
            ("data widened", "widening"),
        ):
            slider = page.get_by_role("slider", name=re.compile(label))
            slider.focus()
            page.keyboard.press("ArrowRight" if name == "widening" else "ArrowLeft")
            page.keyboard.press("PageUp" if name == "widening" else "PageDown")
            now = agree_with_python(page)["inputs"]
            assert (now[name] > before[name]) if name == "widening" else (now[name] < before[name]), name
        change(page, widening=1, components=3)
        for k in (1, 2, 3):
            for what in ("standard deviation", "weight"):
                slider = page.get_by_role("slider", name=f"{what} of component {k}")
                slider.focus()
                page.keyboard.press("ArrowRight")
            centre = page.get_by_role("slider", name=f"centre of component {k}")
            centre.focus()
            page.keyboard.press("Shift+ArrowLeft")
        now = agree_with_python(page)["inputs"]
        assert now["means"] == pytest.approx([-2.0, 1.0, -0.5])
        assert all(a > b for a, b in zip(now["sigmas"] + now["weights"], before["sigmas"] + before["weights"]))


def test_a_handle_has_the_keys_and_the_words_of_a_slider(browser, folder):
    with opened(browser, folder) as page:
        flag = page.get_by_role("slider", name="what one sees")
        flag.focus()
        for key, value in [
            ("ArrowRight", 0.25), ("ArrowDown", 0.2), ("Shift+ArrowRight", 0.7), ("PageDown", 0.2), ("End", 4.5),
            ("ArrowRight", 4.5), ("Home", -4.5), ("ArrowLeft", -4.5),
        ]:  # fmt: skip
            page.keyboard.press(key)
            assert agree_with_python(page)["inputs"]["x_t"] == pytest.approx(value), key
            assert float(flag.get_attribute("aria-valuenow")) == pytest.approx(value)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.type") == "range"
        for handle in page.get_by_role("slider").all():
            assert handle.get_attribute("aria-label")
            assert handle.get_attribute("aria-valuetext")
        assert page.evaluate("getComputedStyle(document.querySelector('.rs-seen .rs-ring')).stroke") != "none"


def middle(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def pixels_of_one(page):
    """How many pixels of the picture are one unit of x."""
    return (page.locator(".rs-strips").bounding_box()["width"] - 28) / 10


@pytest.mark.parametrize("width", [1280, 360])
def test_handles_are_dragged_by_mouse(browser, folder, width):
    with opened(browser, folder, width=width) as page:
        one = pixels_of_one(page)
        for selector, name in ((".rs-seen", "x_t"), (".rs-component-2.rs-handle", "mean")):
            page.locator(selector).scroll_into_view_if_needed()
            x, y = middle(page, f"{selector} .rs-knob")
            read = lambda: state(page)["inputs"]["x_t"] if name == "x_t" else state(page)["inputs"]["means"][1]  # noqa: B023
            start = read()
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + 0.6 * one, y + 3, steps=4)
            page.mouse.move(x + 1.25 * one, y - 5, steps=4)
            page.mouse.up()
            page.mouse.move(x, y)  # let go: nothing follows
            assert read() - start == pytest.approx(1.25, abs=0.02)
            agree_with_python(page)
            moved = middle(page, f"{selector} .rs-knob")[0]
            assert moved - x == pytest.approx(1.25 * one, abs=1.5)


def test_sliders_are_dragged_by_mouse(browser, folder):
    with opened(browser, folder) as page:
        slider = page.get_by_role("slider", name=re.compile("noise of this step"))
        slider.scroll_into_view_if_needed()
        box = slider.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 9, box["y"] + box["height"] / 2, steps=5)
        page.mouse.up()
        assert agree_with_python(page)["inputs"]["beta"] == pytest.approx(1e-4, rel=0.05)


def test_handles_are_dragged_by_touch(browser, folder):
    with opened(browser, folder, width=360, has_touch=True, is_mobile=True) as page:
        page.locator(".rs-seen").scroll_into_view_if_needed()
        x, y = middle(page, ".rs-seen .rs-knob")
        start, one = state(page)["inputs"]["x_t"], pixels_of_one(page)
        fingers = page.context.new_cdp_session(page)
        touch = lambda kind, at: fingers.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": a, "y": y} for a in at]}
        )
        touch("touchStart", [x])
        for k in range(1, 9):
            touch("touchMove", [x - k * one / 4])
        touch("touchEnd", [])
        assert state(page)["inputs"]["x_t"] - start == pytest.approx(-2, abs=0.05)
        agree_with_python(page)


# Experiments


def test_a_small_step_does_not_help_and_a_flat_prior_does(browser, folder):
    with opened(browser, folder, reduced_motion="reduce") as page:
        first = state(page)["numbers"]
        page.locator("#rs-smaller").click()
        small = agree_with_python(page)["numbers"]
        assert small["beta"] == pytest.approx(0.001)
        assert small["kl_average"] < first["kl_average"] / 100
        assert small["kl_average_rate"] > first["kl_average_rate"]
        assert small["kl_average_rate"] == pytest.approx(small["half_fisher"], rel=0.01)
        page.locator("#rs-flatter").click()
        flat = agree_with_python(page)["numbers"]
        assert flat["beta"] == pytest.approx(0.3)
        assert flat["kl_rate"] < 1e-4
        assert flat["exact_mean"] == pytest.approx(flat["naive_mean"], abs=1e-4)
        page.locator("#rs-again").click()
        assert agree_with_python(page)["numbers"] == first


def test_experiments_move_while_one_watches(browser, folder):
    with opened(browser, folder) as page:
        page.locator("#rs-smaller").click()
        page.wait_for_function("window.reverseStep.state().inputs.beta < 0.2")
        assert state(page)["inputs"]["beta"] > 0.001
        page.wait_for_function("window.reverseStep.state().inputs.beta === 0.001")
        page.locator("#rs-flatter").click()
        page.wait_for_function("window.reverseStep.state().inputs.widening > 1")
        page.locator(".rs-seen").focus()
        page.keyboard.press("ArrowRight")  # whoever takes hold of something stops the film
        held = state(page)["inputs"]["widening"]
        page.wait_for_timeout(200)
        assert state(page)["inputs"]["widening"] == held < 1000


def test_what_changes_is_spoken(browser, folder):
    with opened(browser, folder) as page:
        spoken = page.locator(".rs-verdict")
        assert spoken.get_attribute("aria-live") == "polite"
        assert "The prior moves the mean from 0.239 to" in spoken.text_content()
        change(page, widening=1000)
        page.wait_for_function("document.querySelector('.rs-verdict').textContent.includes('all but flat')")
        change(page, widening=1, beta=0.001)
        page.wait_for_function("document.querySelector('.rs-verdict').textContent.includes('each unit of noise')")


# Chains


def proved_sigmas(now):
    """Of both chains at this moment, by the proved formulas, from the inputs of the page."""
    inputs, K = now["inputs"], now["inputs"]["components"]
    weights = np.array(inputs["weights"][:K])
    data = mixture(
        weights / weights.sum(), inputs["means"][:K], (np.array(inputs["sigmas"][:K]) * inputs["widening"]) ** 2
    )
    every, chain = 1000 // now["chains"]["T"], now["chains"]
    bar_T, bar = (float(schedules.linear().alpha_bar(every * t)) for t in (chain["T"], chain["t"]))
    # From a correct x_T down to t the chain is a whole chain for data that are those of time t.
    added = formulas(noiseproof.claim("reversal.naive-chain"))["added"](alpha_bar_T=bar_T / bar)
    at_t = data.marginal(bar).variance
    return math.sqrt(at_t), math.sqrt(at_t + added)


def chains_agree(page):
    now = state(page)
    exact, naive = proved_sigmas(now)
    for kind, sigma in (("exact", exact), ("naive", naive)):
        assert now["chains"][f"{kind}_sigma_proved"] == pytest.approx(sigma, rel=PROMISED)
        assert abs(now["chains"][f"{kind}_sigma"] - sigma) < 5 * now["chains"][f"{kind}_sigma_error"]
    places = page.eval_on_selector_all(
        "#reverse-chains output[data-name]", "all => all.map((o) => [o.dataset.name, Number(o.dataset.value)])"
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


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"beta": 0}, "beta is 0; expected 0.0001 to 0.9"),
        ({"beta": "0.1"}, "beta is 0.1; expected a number"),
        ({"means": []}, "means: expected 1 to 3 numbers"),
        ({"sigmas": [0.3, 5]}, "sigmas is 5; expected 0.05 to 2"),
        ({"components": 4}, "components is 4; expected 1 to 3"),
        ({"gamma": 1}, "there is no input called gamma"),
        ({"T": 30}, "T is 30; expected one of 10, 50, 200, 1000"),
    ],
)
def test_bad_inputs_get_a_clear_error_and_change_nothing(browser, folder, given, says):
    with opened(browser, folder) as page:
        before = state(page)
        message = page.evaluate(
            """(given) => {
                try { window.reverseStep.set(given); return "no error"; } catch (error) { return error.message; }
            }""",
            given,
        )
        assert says in message
        assert state(page) == before
