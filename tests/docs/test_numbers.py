"""A number that a chapter computes with ``noiseproof value`` is what the command prints."""

import re
from math import isclose
from pathlib import Path

import pytest

from noiseproof import claim
from noiseproof.valuing import numbers, values

DOCS = Path(__file__).resolve().parents[2] / "docs"
COMMAND = re.compile(r"`noiseproof value ([\w.-]+)((?:\s+\w+=[\w./-]+)+)`")
POWER = re.compile(r"([−-]?\d+(?:\.\d+)?)\s*\\cdot\s*10\^\{?([−-]?\d+)\}?")
FRACTION = re.compile(r"(?<![\d.])(\d+)\s*/\s*(\d+)(?![\d.])")
NUMBER = re.compile(r"[−-]?\d+(?:\.\d+)?")


def commands():
    """Each command that a text quotes, with the paragraph that it stands in."""
    for path in sorted(DOCS.glob("*/*.md")):
        for paragraph in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            for found in COMMAND.finditer(paragraph):
                where = f"{path.parent.name}-{path.stem}-{found[1]}"
                yield pytest.param(found[1], found[2].split(), paragraph, id=where)


def number(written):
    return float(written.replace("−", "-"))


def told(paragraph):
    """The numbers of a paragraph, with the unit of the last digit and how many there are; a fraction is exact."""
    rest = re.sub(r"(?<=\d)(?:,|\{,\})(?=\d{3}\b)", "", COMMAND.sub("", paragraph))
    for pattern in (POWER, FRACTION, NUMBER):
        for found in pattern.finditer(rest):
            digits, power = found[0], 0
            if pattern is FRACTION:
                yield int(found[1]) / max(int(found[2]), 1), 0.0, 0
                continue
            if pattern is POWER:
                digits, power = found[1], int(number(found[2]))
            unit = 10.0 ** (power - len(digits.partition(".")[2]))
            size = len(re.sub(r"\D", "", digits).lstrip("0")) + (pattern is POWER)
            yield number(digits) * 10.0**power, unit, size
        rest = pattern.sub(" ", rest)


def says(paragraph, value):
    """Does a paragraph tell this value, exactly, or rounded: to two digits at least, with a power of ten to one?"""
    return any(
        isclose(shown, value, rel_tol=1e-12) or (digits > 1 and abs(shown - value) <= 0.500001 * unit)
        for shown, unit, digits in told(paragraph)
    )


@pytest.mark.parametrize(("id", "letters", "paragraph"), [*commands()])
def test_a_number_of_the_text_is_what_the_command_prints(id, letters, paragraph):
    printed = {v.parameter: float(v.digits) for v in values(claim(id), numbers(letters)) if v.digits is not None}
    assert printed, f"noiseproof value {id} {' '.join(letters)} prints no number"
    assert any(says(paragraph, value) for value in printed.values()), f"{printed} is not in the text:\n{paragraph}"


@pytest.mark.parametrize(
    ("text", "value", "right"),
    [
        ("it is $0.0196$ now", 0.0196078, True),
        ("it is $0.0197$ now", 0.0196078, False),
        ("about 49,555", 49555.22, True),
        ("about $49{,}556$", 49555.22, False),
        (r"that is $4.04\cdot10^{-5}$", 4.0358e-5, True),
        (r"that is $4.05\cdot10^{-5}$", 4.0358e-5, False),
        ("an area of $1/11$", 1 / 11, True),
        ("an area of $1/10$", 1 / 11, False),
        ("with $-119$ there", -119.0, True),
        ("one digit, 0.2, says little", 0.1610, False),
        ("`noiseproof value a.b x=0.25` is not an answer", 0.25, False),
    ],
)
def test_numbers_are_found_in_a_text(text, value, right):
    assert says(text, value) is right
