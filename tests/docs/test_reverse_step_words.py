"""What the page "the reverse step" says: the same in both languages, and numbers as one reads them."""

import re

import pytest

from tests.docs.test_reverse_step import STATIC, in_node, markup


def test_both_languages_have_the_same_markup_and_the_same_words_to_say():
    english, chinese = (re.sub("<p>.*?</p>", "<p></p>", markup(language)) for language in ("en", "zh"))
    assert english == chinese
    body = """(M, path) => {
        const W = require(path), keys = (words) => Object.entries(words).map(
            ([name, said]) => typeof said === "object" ? [name, Object.keys(said)] : [name, said.match(/[{]\\w+[}]/g)]);
        return [keys(W.english), keys(W.chinese)];
    }"""
    english, chinese = in_node(body, str(STATIC / "reverse_step_words.js"))
    names = lambda words: [(name, sorted(filled or [])) for name, filled in words]
    assert names(english) == names(chinese)
    code = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("reverse_step_[pc]*.js"))
    assert [name for name, _ in english if not re.search(rf"\b{name}\b", code)] == []


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0.0123456, "0.01235"),
        (-1.5, "−1.500"),
        (0, "0"),
        (49554.1, "49\u202f554"),
        (3.21e-7, "3.21·10⁻⁷"),
        (-2.5e9, "−2.50·10⁹"),
        (999.96, "1\u202f000"),
    ],
)
def test_numbers_are_written_as_one_reads_them(number, written):
    body = "(M, [path, x]) => require(path).digits(x)"
    assert in_node(body, [str(STATIC / "reverse_step_words.js"), number]) == written
