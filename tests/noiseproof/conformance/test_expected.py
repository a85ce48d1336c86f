"""Failures that are known: lines for all properties, for several libraries, and errors that are said once."""

from __future__ import annotations

import pytest

from noiseproof.conformance import expected, reports, screen
from noiseproof.conformance.findings import ERROR, FAIL, PASS, SKIP, Finding, Outcome, Report
from noiseproof.conformance.properties import properties

NAN = Finding(ERROR, "what it returns is not finite", at={"call": "run(n=7)"})


def report(target="a:b", planned=3, **verdicts):
    found = [
        Outcome(id, id.lower(), "exact", (), (NAN if verdict == ERROR else Finding(verdict, "it is so"),), 0.0)
        for id, verdict in verdicts.items()
    ]
    return Report(target, {}, "b", tuple(found), planned=planned)


def known(text):
    return list(expected.lines(text, "file", properties()))


def stale(text, *reports):
    return expected.stale(reports, known(text), [p.id for p in properties()])


@pytest.mark.parametrize(
    ("verdicts", "expects"),
    [
        ({"P1": FAIL, "P2": PASS, "P3": SKIP}, ""),
        ({"P1": ERROR, "P2": ERROR, "P3": ERROR}, ""),
        ({"P1": PASS, "P2": PASS, "P3": SKIP}, "it does not fail any more: a:b PASS"),
        ({"P1": SKIP, "P2": SKIP, "P3": SKIP}, "it is not asked there"),
        ({"P1": PASS}, ""),
    ],
    ids=["one fails", "all do", "none does", "none is asked", "not done"],
)
def test_a_line_on_all_properties_is_stale_only_if_none_fails(verdicts, expects):
    found = stale("a:b  *  every run ends in NaN", report(**verdicts))
    assert [expects in line for line in found] == [True] * bool(expects)


def test_a_line_on_all_properties_gives_its_reason_where_no_other_does():
    marked = expected.marked(report(P1=FAIL, P2=ERROR, P3=PASS), known("a:b  *  all of it\na:b  P1  this one"))
    assert [outcome.expected for outcome in marked.outcomes] == ["this one", "all of it", ""]


def test_lines_on_libraries_that_were_not_asked_are_left_alone():
    text = "a:nobody  P1  so\nother:b  P1  so\na:b  P1  so"
    assert stale(text, report(P1=FAIL)) == ["line 1: a:nobody P1: no target that was asked is called that"]
    assert len(stale(text, report(P1=FAIL), report("other:c", P1=PASS))) == 2


def test_an_error_that_many_properties_met_is_said_once():
    every = report(planned=7, **{f"P{k}": ERROR for k in range(7)})
    page = reports.markdown([every])
    assert page.count("is not finite") == 1
    assert "`a:b` P0 to P6, 7 properties: what it returns is not finite" in page
    two = reports.markdown([report(P1=ERROR, P2=ERROR, P3=FAIL), report(P1=FAIL, P2=FAIL)])
    assert "`a:b` P1, P2: what it returns is not finite" in two
    assert two.count("it is so") == 3


@pytest.mark.parametrize(("hold", "text"), [(0, "0 of 1 sampler holds"), (1, "1 of 2 samplers holds")])
def test_a_summary_agrees_in_number(hold, text):
    found = [report(planned=1, P1=PASS)] * hold + [report(planned=1, P1=FAIL)]
    assert text in screen.summary(found, 1.0, False).plain
