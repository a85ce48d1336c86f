"""Searching for a counterexample with Hypothesis, the same way every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from .formulas import in_words
from .sequential import FAIL, INCONCLUSIVE, PASS, Finding


class Counterexample(Exception):
    """Values for which a statement is false, and how far it is from true."""

    def __init__(self, sentence: str, error: float | None) -> None:
        super().__init__(sentence)
        self.error = error


class NothingTried(Exception):
    """Every example was filtered out, so that nothing is known."""


def searched(statement: Callable[..., Any], strategies: Mapping[str, Any], examples: int) -> Finding:
    """PASS if no example refutes the statement, FAIL with the smallest one that does.

    An exception that the statement raises is an error and propagates.  Raises NothingTried if the filters leave no
    example to try.
    """
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings
    from hypothesis.errors import FailedHealthCheck, Unsatisfiable

    tried, undecided, resolution = 0, "", 0.0

    def holds(**values: Any) -> None:
        nonlocal tried, undecided, resolution
        finding = decided(statement(**values))
        tried, resolution = tried + 1, max(resolution, finding.resolution or 0.0)
        if finding.verdict == FAIL:
            sentence = f"{finding.detail}; smallest counterexample: {in_words(values)}"
            raise Counterexample(sentence, finding.error)
        if finding.verdict == INCONCLUSIVE and not undecided:
            undecided = f"{finding.detail}; the example was {in_words(values)}"

    search = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=[HealthCheck.too_slow],
    )
    try:
        with only_the_strategies():
            search(given(**strategies)(holds))()
    except Counterexample as smallest:
        return Finding(FAIL, tried, str(smallest), None, smallest.error)
    except (Unsatisfiable, FailedHealthCheck) as problem:
        raise NothingTried(f"the filters leave no example to try: {problem}") from problem
    if not tried:
        raise NothingTried("the filters leave no example to try")
    if undecided:
        return Finding(INCONCLUSIVE, tried, undecided, resolution or None)
    return Finding(PASS, tried, f"no counterexample in {tried} examples", resolution or None)


def decided(answer: Any) -> Finding:
    """What a statement returned, as a finding."""
    if getattr(answer, "kind", None) == "quadrature":
        return answer.examine()
    if isinstance(answer, (bool, np.bool_)) or (isinstance(answer, np.ndarray) and answer.dtype == bool):
        return Finding(PASS, 1, "") if np.all(answer) else Finding(FAIL, 1, "the statement is false")
    raise TypeError(f"a statement returns a bool or an atom without chance, and this one returned {answer!r}")


@contextmanager
def only_the_strategies() -> Iterator[None]:
    """No examples from the source of the modules that happen to be loaded.

    Hypothesis tries the constants that it finds there, so what is searched would depend on what has been imported.
    """
    from hypothesis.internal.conjecture import providers

    provider: Any = getattr(providers, "HypothesisProvider", None)
    constant = getattr(provider, "_maybe_draw_constant", None)
    if constant is None:  # a Hypothesis that does not do so
        yield
        return
    provider._maybe_draw_constant = lambda self, *_, **__: None
    try:
        yield
    finally:
        provider._maybe_draw_constant = constant
