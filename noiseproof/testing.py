"""A sampler held to what it claims in a test suite of your own, with a test for each property, in two lines:

    from noiseproof.testing import conforms
    test_my_sampler = conforms("my_project.sampler:MySampler", eta=1)

A property that does not concern the sampler is skipped, with the reason; one that fails prints a script that shows it.
Nothing is imported before ``conforms`` is called, and no sampler is loaded before its first test runs.
"""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conformance.examining import Examination

alive: dict[Any, Examination] = {}  # one at a time: a process of its own may be large


def conforms(
    target: Any,
    /,
    *,
    steps: Sequence[int] = (7, 13, 50),
    seconds: float = 20.0,
    properties: Sequence[str] = (),
    known: dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
    **more: Any,
) -> Callable[..., None]:
    """A test of each property of a sampler, for a name that begins with ``test_``.

    The target, ``steps``, ``seconds`` and ``properties`` are those of ``noiseproof.check``; ``options`` are the
    sampler's own, and so are ``more``.  ``known`` are ids of properties that fail, with the reason: their tests are
    expected to.

    Raises UnknownProperty for a name that is none.
    """
    import pytest

    from .checking import chosen
    from .conformance.properties import properties as every

    given, reasons = {**(options or {}), **more}, {chosen([name])[0]: why for name, why in (known or {}).items()}
    wanted = chosen(properties)
    expected = lambda id: [pytest.mark.xfail(reason=reasons[id], strict=True)] if id in reasons else []
    params = [pytest.param(p, id=f"{p.id}-{p.name}", marks=expected(p.id)) for p in every() if p.id in wanted]

    @pytest.mark.parametrize("property", params)
    def test(property: Any) -> None:
        __tracebackhide__ = True
        judge(target, given, tuple(steps), seconds, property)

    return test


def judge(target: Any, options: dict[str, Any], steps: tuple[int, ...], seconds: float, property: Any) -> None:
    """Pass, skip or fail, as the property is found to be."""
    import pytest

    from .conformance.findings import NOTE, PASS, SKIP
    from .conformance.reports import account
    from .conformance.target import AboutTheTarget

    __tracebackhide__ = True
    try:
        found = examination(target, options, steps, seconds).outcome(property)
    except AboutTheTarget as why:
        pytest.fail(f"it cannot be loaded: {why}", pytrace=False)
    if found.verdict == SKIP:
        pytest.skip(found.telling.text)
    if found.verdict == NOTE:
        print(account(found))
    elif found.verdict != PASS:
        pytest.fail(account(found), pytrace=False)


def examination(target: Any, options: dict[str, Any], steps: tuple[int, ...], seconds: float) -> Examination:
    """The target, which is loaded if it is another than the one before."""
    from .checking import spec_of, written
    from .conformance.examining import Examination
    from .conformance.target import Target

    key = spec_of(target), written(options), steps, seconds
    if key not in alive:
        close()
        alive[key] = Examination(Target(key[0], options, seconds), steps)
    return alive[key]


def close() -> None:
    while alive:
        alive.popitem()[1].close()


atexit.register(close)
