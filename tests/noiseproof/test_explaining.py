"""What explain prints is introduced, has one spelling, and keeps to its width."""

import re

import pytest
from sympy import MatrixSymbol, Symbol

from derivations import claims
from derivations.calculus import Refuted, algebra, check, eq, naturals
from derivations.calculus.notation import Density
from derivations.rendering.terminal import inline
from noiseproof import cli
from noiseproof.explaining import introduced


def explained(capfd, monkeypatch, id: str, width: int) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("noiseproof.tables.plain_width", width)
    assert cli.status(lambda: cli.cli.main(["explain", id], standalone_mode=False)) == 0
    return capfd.readouterr().out.splitlines()


def test_explain_introduces_what_it_speaks_of(capfd, monkeypatch):
    lines = explained(capfd, monkeypatch, "edm.preconditioning", 100)
    for part in (
        "  cₛₖᵢₚ = σ_d²/(σ² + σ_d²)  (c_skip)",
        "  σ, σ_d: positive",
        "  On this page: F is the output of a network",
        "  Standing assumptions: 0 < βₜ < 1",
        "  What a network sees and what it has to say are of unit size",
        "      D(u; σ) = cₛₖᵢₚ u + cₒᵤₜ F(cᵢₙ u), u = x₀ + σ ε.",
    ):
        assert any(line.startswith(part) for line in lines), part


def test_a_failure_names_a_derivation_that_the_page_shows(capfd, monkeypatch):
    lines = explained(capfd, monkeypatch, "edm.preconditioning", 100)
    (broken,) = {found[1] for line in lines if (found := re.search(r"step 3 is false, in (\w+)", line))}
    assert any(line.endswith(f"  {broken}") for line in lines)


def test_what_is_proved_on_the_way_is_found_under_its_id(capfd, monkeypatch):
    text = " ".join(explained(capfd, monkeypatch, "elbo.meanfield-gaussian", 100))
    assert re.search(r"On the way it proves: .*\w+ \(\w+\.[\w-]+\)", text)


def test_lines_keep_their_width_and_end_without_blanks(capfd, monkeypatch):
    lines = explained(capfd, monkeypatch, "sampler.ddim-gaussian", 80)
    assert [line for line in lines if line != line.rstrip()] == []
    assert all(len(re.sub("[\u0300-\u036f]", "", line)) <= 80 for line in lines)
    (first,) = (i for i, line in enumerate(lines) if line.startswith("  Assumes"))
    assert lines[first + 1].startswith("  ")


def test_it_ends_with_the_place_in_the_book(capfd, monkeypatch, tmp_path):
    monkeypatch.setattr("noiseproof.explaining.BOOK", tmp_path / "html")
    said = explained(capfd, monkeypatch, "reversal.naive-is-flat-prior", 100)
    assert said[-2:] == ["Book", "  reversal.html#naive-is-flat-prior  (make docs, in a checkout)"]

    (tmp_path / "html").mkdir()
    page = tmp_path / "html" / "reversal.html"
    page.write_text("built")
    *_, built = explained(capfd, monkeypatch, "reversal.naive-is-flat-prior", 100)
    assert built == f"  {page.as_uri()}#naive-is-flat-prior"

    monkeypatch.chdir(tmp_path)
    *_, here = explained(capfd, monkeypatch, "reversal.naive-is-flat-prior", 100)
    assert here == "  html/reversal.html#naive-is-flat-prior"


def test_no_claim_speaks_of_a_letter_that_it_does_not_introduce():
    for claim in claims().values():
        said = "\n".join(introduced(claim))
        for formula in claim.formulas.values():
            for letter in formula.atoms(Symbol, MatrixSymbol, Density):
                assert inline(letter) in said, f"{claim.id}: {inline(letter)}"


def test_whole_numbers_of_a_counterexample_are_whole():
    n = naturals("n")

    def squares():
        yield n * n
        yield eq(n + n + 1, by=algebra)

    with pytest.raises(Refuted, match=r"at n = \d+: left"):
        check(squares)
