"""The page "the reverse step" on its own: the markup of the chapter, its scripts, and nothing else of the book."""

import json
import shutil
from contextlib import contextmanager

import numpy as np
import pytest

from numerics.schedules import Step
from numerics.worlds import mixture
from tests.docs.test_reverse_step import PROMISED, STATIC, expected, markup

LANGUAGES = {"en": "en", "zh": "zh-CN"}
PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>The reverse step</title><style>
  body {{ margin: 0; background: #fff; color: #000; font-family: sans-serif }}
  body[data-theme="dark"] {{ background: #131416; color: #cfd0d0; --color-background-primary: #131416;
    --color-foreground-primary: #cfd0d0; --color-background-secondary: #1a1c1e; --color-background-border: #303335;
    --color-foreground-secondary: #9ca0a5 }}
  main {{ max-width: 44rem; margin: auto; padding: 0 1rem }}
</style></head><body data-theme="{theme}"><main>{markup}</main></body></html>"""


def written(made):
    """The page in both languages and both themes, beside its scripts, in this folder."""
    shutil.copytree(STATIC, made / "_static", ignore=shutil.ignore_patterns("katex"))
    for language, lang in LANGUAGES.items():
        for theme in ("light", "dark"):
            page = PAGE.format(lang=lang, theme=theme, markup=markup(language))
            (made / f"{language}-{theme}.html").write_text(page, encoding="utf-8")
    return made


def data_of(inputs):
    """The data that the page speaks of."""
    K = inputs["components"]
    weights = np.array(inputs["weights"][:K])
    return mixture(
        weights / weights.sum(), inputs["means"][:K], (np.array(inputs["sigmas"][:K]) * inputs["widening"]) ** 2
    )


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
    inputs = now["inputs"]
    step = Step(alpha=1 - inputs["beta"], alpha_bar_prev=inputs["alpha_bar_prev"])
    numbers = expected(data_of(inputs), step, inputs["x_t"])
    assert set(now["numbers"]) == set(numbers)
    for name, value in numbers.items():
        assert now["numbers"][name] == pytest.approx(value, rel=PROMISED, abs=1e-9), name
    places = page.eval_on_selector_all(
        "#reverse-step data[data-name]",
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
