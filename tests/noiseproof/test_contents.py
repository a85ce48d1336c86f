"""What is listed is what there is, whether it was kept or not, and what is kept is never stale."""

import json

import pytest

import noiseproof
from derivations import claims as every_claim
from noiseproof import choosing, contents
from noiseproof.reporting import claim_as_data


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "noiseproof"


@pytest.fixture
def loaded(monkeypatch):
    """How often all pages were asked for."""
    asked, every = [], choosing.claims
    monkeypatch.setattr(choosing, "claims", lambda: asked.append(1) or every())
    return asked


def listed():
    return [claim_as_data(entry) for entry in contents.contents().values()]


def test_the_second_time_nothing_is_loaded_and_the_same_is_said(cache, loaded):
    expected = [claim_as_data(claim) for claim in every_claim().values()]
    assert listed() == expected
    assert len(loaded) == 1
    assert listed() == expected
    assert len(loaded) == 1
    assert [path.suffix for path in cache.iterdir()] == [".json"]


def test_other_code_is_listed_anew_and_what_it_replaces_is_thrown_away(cache, loaded, monkeypatch):
    listed()
    monkeypatch.setattr(contents, "code", lambda: "0123456789abcdef")
    listed()
    assert len(loaded) == 2
    assert [path.name for path in cache.iterdir()] == ["contents-0123456789abcdef.json"]


@pytest.mark.parametrize("text", ["", "[{", "[1]", "{}x", '[{"id": 1}]', "null"])
def test_a_torn_file_is_written_again(cache, loaded, text):
    listed()
    (kept,) = cache.iterdir()
    whole = kept.read_text()
    kept.write_text(text)
    assert len(listed()) == len(json.loads(whole))
    assert kept.read_text() == whole


def test_where_nothing_can_be_kept_the_pages_are_loaded(monkeypatch, tmp_path, loaded):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(listed()) == len(listed()) == len(every_claim())
    assert len(loaded) == 2


def test_patterns_choose_among_entries_as_among_claims(cache):
    entries = contents.contents()
    for patterns in (["reversal.*"], ["flow.gaussian-flow", "*.posterior*"], []):
        chosen = [claim.id for claim in choosing.selected(patterns)]
        assert [entry.id for entry in choosing.selected(patterns, entries)] == chosen
    with pytest.raises(noiseproof.UnknownClaim, match="did you mean"):
        choosing.selected(["flow.gaussian-flo"], entries)
