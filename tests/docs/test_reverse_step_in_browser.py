"""The page "the reverse step" in a real browser: what is dragged moves, and what is shown equals Python."""

import re

import pytest

from tests.docs.bare_page import LANGUAGES, agree_with_python, change, opened, state, written

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return written(tmp_path_factory.mktemp("reverse-step"))


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
            centre, y = middle(page, f"{selector} .rs-knob")
            x = centre + 6  # whoever takes hold beside the middle moves nothing by that
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
            assert moved - centre == pytest.approx(1.25 * one, abs=1.5)


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
