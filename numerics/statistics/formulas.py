"""A formula under test: called with letters by name, moved in its last bits, and described in words.

Letters are numbers, arrays, laws and functions.  Nothing is assumed of a formula, for it may be wrong, or somebody
else's: it may leave its domain, and then it is refuted; it may raise, and then it has not been judged at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAST_BITS = 16 * float(np.finfo(float).eps)  # a few roundings, relative

Letters = Mapping[str, Any]


class FormulaError(Exception):
    """A formula raised, or returned what is no number: an error in its code, which refutes nothing.

    ``name`` is the formula, ``point`` says which letters it was given, ``problem`` what it raised; the original
    exception is the ``__cause__``.
    """

    def __init__(self, name: str, point: str, problem: str) -> None:
        super().__init__(name, point, problem)
        self.name, self.point, self.problem = name, point, problem

    def __str__(self) -> str:
        return f"{self.name} could not be evaluated{self.point}: {self.problem}"


@dataclass(frozen=True)
class UnderTest:
    """A formula with a name.  Calling it gives real numbers: NaN where it has none."""

    name: str
    function: Callable[..., Any]

    def __call__(self, **at: Any) -> Any:
        value = self.evaluated(at)
        if np.iscomplexobj(value):
            value = np.where(np.imag(value) == 0, np.real(value), np.nan)[()]
        return value

    def evaluated(self, at: Letters) -> Any:
        """The value as the formula gives it, complex if it is.  Raises FormulaError if there is none."""
        # Python's own floats raise where IEEE arithmetic has infinities and NaN; NumPy's do not.
        letters = {name: np.float64(x) if isinstance(x, float) else x for name, x in at.items()}
        try:
            with np.errstate(all="ignore"):
                return numbers(self.function(**letters))
        except FormulaError:
            raise
        except Exception as problem:
            raise FormulaError(self.name, self.point(at), f"{type(problem).__name__}: {problem}") from problem

    def letters(self, at: Letters) -> dict[str, Any]:
        """The letters that the formula needs, where it says so, and otherwise all."""
        needs = getattr(self.function, "needs", None) or at
        return {name: x for name, x in at.items() if name in needs}

    def point(self, at: Letters, index: tuple[int, ...] | None = None, shape: tuple[int, ...] = ()) -> str:
        """In words, the letters at one entry of the value: " at alpha = 0.683, x_t = -1.27"."""
        words = in_words({name: x for name, x in self.letters(at).items() if not callable(x)}, index, shape)
        return f" at {words}" if words else ""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "function":
            raise AttributeError(name)
        return getattr(self.function, name)


def under_test(formula: Callable[..., Any], name: str | None = None) -> UnderTest:
    """The formula, ready to be tested; one that is ready stays as it is."""
    if isinstance(formula, UnderTest):
        return formula
    if not callable(formula):
        raise TypeError(f"a formula is a function of letters by name; got {formula!r}")
    known = name or str(getattr(formula, "__name__", "<lambda>"))
    return UnderTest("the formula" if known == "<lambda>" else known, formula)


def numbers(value: Any) -> Any:
    """A value as a number or an array of numbers.  Raises TypeError, or what its entries raise, if it is neither."""
    array = np.asarray(value)
    if array.dtype.kind == "O":  # numbers of some other library
        array = np.array([complex(x) for x in array.flat]).reshape(array.shape)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"it returned {value!r}, which is no number")
    return array[()]


# Words.


def in_words(letters: Letters, index: tuple[int, ...] | None = None, shape: tuple[int, ...] = ()) -> str:
    """Letters and their values, at one entry if an index into an array of this shape is given."""
    words = ((name, value_in_words(x, index, shape)) for name, x in letters.items())
    return ", ".join(f"{name} = {text}" for name, text in words if text)


def value_in_words(x: Any, index: tuple[int, ...] | None = None, shape: tuple[int, ...] = ()) -> str:
    """A short text for a value, rounded; none for what has no short text."""
    if isinstance(x, (bool, int, np.integer, np.bool_)):
        return str(x)
    if isinstance(x, (float, np.floating)):
        return f"{float(x):.6g}"
    if isinstance(x, np.ndarray):
        if index is not None:
            try:
                return value_in_words(np.broadcast_to(x, shape)[index])
            except ValueError:  # an array whose axes are its own
                pass
        if x.size > 9:
            return f"an array of shape {x.shape}"
        return np.array2string(x, precision=6, separator=", ").replace("\n", "")
    text = repr(x)
    return "" if len(text) > 80 or " at 0x" in text else text


def told_apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as few digits as show that they differ, if they do, and four at least."""
    texts = f"{a:.4g}", f"{b:.4g}"
    if a == b:
        return texts
    for digits in range(5, 18):
        if texts[0] != texts[1]:
            break
        texts = f"{a:.{digits}g}", f"{b:.{digits}g}"
    return texts


# The last bits.


def last_bits(formula: UnderTest, at: Letters, value: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the value moves when what goes into the formula moves in its last bits, one thing after another.

    Numbers and arrays move, up and down; so do the values that laws and functions give, each of their methods by
    itself.  A neighbour where the formula is not defined is passed over; if all are, nothing is known: infinity.

    This is an estimate of rounding and no bound: a formula that cancels by itself, whatever goes in, is not seen.
    """
    moved = np.zeros_like(value)
    for neighbours in in_turn(formula, at):
        steps = np.full_like(value, np.nan)
        for neighbour in neighbours:
            try:
                with np.errstate(all="ignore"):
                    steps = np.fmax(steps, np.abs(formula(**neighbour) - value))
            except FormulaError:  # beyond the edge of its domain
                continue
        moved = moved + np.where(np.isnan(steps), np.inf, steps)
    return moved


def in_turn(formula: UnderTest, at: Letters) -> Iterator[list[dict[str, Any]]]:
    """For each thing that goes into the formula, the letters with that thing moved."""
    for name, x in formula.letters(at).items():
        if isinstance(x, (float, np.floating)) and x:
            yield [{**at, name: x * (1 + e)} for e in (LAST_BITS, -LAST_BITS)]
        elif isinstance(x, np.ndarray) and x.dtype.kind == "f" and np.any(x):
            # all together, and every other one against the rest: only then does a difference of two entries move
            signs = [np.ones(x.shape)]
            if x.size > 1:
                signs.append(np.where(np.arange(x.size) % 2, -1.0, 1.0).reshape(x.shape))
            yield [{**at, name: x * (1 + e * s)} for s in signs for e in (LAST_BITS, -LAST_BITS)]
        elif callable(x):
            for asked in methods_asked(formula, at, name):
                yield [{**at, name: Moved(x, asked, 1 + e)} for e in (LAST_BITS, -LAST_BITS)]


def methods_asked(formula: UnderTest, at: Letters, name: str) -> list[str]:
    """What the formula asks of a law or function."""
    watched = Moved(at[name])
    try:
        formula(**{**at, name: watched})
    except FormulaError:  # it looks at what kind of thing it was given, and will not have this one
        return []
    return sorted(watched.asked)


@dataclass
class Moved:
    """A law or function, one of whose methods gives its values times a factor; it remembers which were asked for."""

    law: Any
    method: str = ""
    factor: float = 1.0
    asked: set[str] = field(default_factory=set)

    def __call__(self, *slots: Any, **more: Any) -> Any:
        return self._moved("__call__", self.law(*slots, **more))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "law":
            raise AttributeError(name)
        what = getattr(self.law, name)
        if callable(what):
            return lambda *slots, **more: self._moved(name, what(*slots, **more))
        return self._moved(name, what)

    def _moved(self, name: str, value: Any) -> Any:
        if not isinstance(value, (float, np.floating, np.ndarray)):
            return value
        self.asked.add(name)
        return value * self.factor if name == self.method else value
