"""The prose of claims as a reader of the book sees it: mathematics in mathematics, and every word a word."""

import re
from collections.abc import Iterator
from importlib import import_module

import pytest

from derivations import PAGES, claims
from docs.book import words
from docs.book.katex import render
from docs.book.words import in_mathematics, notation, of_docstring, remark
from noiseproof.explaining import reasons

SAID = {
    # one letter, three spellings
    "if and only if \\bar\\alpha_T goes to zero": "if and only if $\\bar\\alpha_T$ goes to zero",
    "where alpha_bar is alpha": "where $\\bar\\alpha$ is $\\alpha$",
    "βₜ²/(2σₜ²αₜ(1 − ᾱₜ)), and a constant": "$\\beta_t^2/(2\\sigma_t^2\\alpha_t(1 - \\bar\\alpha_t))$, and a constant",
    "from β̃ at v = 0 to β at v = 1": "from $\\tilde\\beta$ at $v = 0$ to $\\beta$ at $v = 1$",
    "over beta-tilde, which is positive": "over $\\tilde\\beta$, which is positive",
    "the variances 1/Λ_ii, too small": "the variances $1/\\Lambda_{ii}$, too small",
    "sigma_min would come out": "$\\sigma_{\\min}$ would come out",
    "c_out is the standard deviation": "$c_{\\mathrm{out}}$ is the standard deviation",
    "a family of densities g_theta": "a family of densities $g_\\theta$",
    "have the mean M⁻¹Wᵀ(x − μ)": "have the mean $M^{-1}W^\\top(x - \\mu)$",
    "has the covariance LLᵀ": "has the covariance $LL^\\top$",
    "is −λ² ∂_λ with λ = 1/σ²": "is $-\\lambda^2 \\partial_\\lambda$ with $\\lambda = 1/\\sigma^2$",
    # runs are as long as possible, and words stay words
    "variance 2 beta_t/alpha_t; the mean": "variance $2 \\beta_t/\\alpha_t$; the mean",
    "noise of variance 2(1/alpha_bar_T - 1)": "noise of variance $2(1/\\bar\\alpha_T - 1)$",
    "q_{t-1}(x_{t-1})/(sqrt(alpha_t) q_t(x_t))": "$q_{t-1}(x_{t-1})/(\\sqrt{\\alpha_t} q_t(x_t))$",
    "W_2 = sqrt(V) - sqrt(v_0) from them": "$W_2 = \\sqrt{V} - \\sqrt{v_0}$ from them",
    "for μ² + σ² − 1 − log σ² over": "for $\\mu^2 + \\sigma^2 - 1 - \\log \\sigma^2$ over",
    "the derivative -(p + g)³/(pg)": "the derivative $-(p + g)^3/(pg)$",
    "eigenvalues ±ic; steps": "eigenvalues $\\pm ic$; steps",
    "1 + ihc, with the i forgotten": "$1 + ihc$, with the $i$ forgotten",
    "as long as h |c| < 2": "as long as $h \\lvert c\\rvert < 2$",
    "the time B: v' = v + 1.": "the time $B$: $v' = v + 1$.",
    "its variance 1 + beta_t s_t'.": "its variance $1 + \\beta_t s_t'$.",
    "by beta_t^2 E[(1 + s_t')^2]/4:": "by $\\beta_t^2 \\mathbb E[(1 + s_t')^2]/4$:",
    "in σ² it is E f''/2": "in $\\sigma^2$ it is $\\mathbb E\\, f''/2$",
    "f = -β/2 and g^2 = β": "$f = -\\beta/2$ and $g^2 = \\beta$",
    "dx = f x dt + g dw is Gaussian": "$dx = f x\\, dt + g\\, dw$ is Gaussian",
    "g^2/2 Laplace q; Gaussian": "$g^2/2 \\cdot \\Delta q$; Gaussian",
    "f x - (1 + lambda^2)/2 g^2 score keep": "$f x - (1 + \\lambda^2)/2 \\cdot g^2\\, \\text{score}$ keep",
    "beta_i = beta(i/N)/N for i = 1..N": "$\\beta_i = \\beta(i/N)/N$ for $i = 1,\\, \\dots,\\,N$",
    "the path x_0, ..., x_T is drawn": "the path $x_0,\\, \\dots,\\,x_T$ is drawn",
    "n! = n (n − 1)!": "$n! = n (n - 1)!$",
    "for 28 x 28 pixels": "for $28 \\times 28$ pixels",
    # functions of mathematics
    "N(x; a, A) is one": "$\\mathcal N(x;\\, a,\\, A)$ is one",
    "in the plane, N of them": "in the plane, $N$ of them",
    "KL(p ‖ m) + KL(g ‖ m) − log 4": "$\\mathrm{KL}(p \\,\\|\\, m) + \\mathrm{KL}(g \\,\\|\\, m) - \\log 4$",
    "the KL term, squares + KL": "the KL term, squares + KL",
    "the log likelihood, a log ratio": "the log likelihood, a log ratio",
    "SNR times in the noise, 1 + SNR in v": "SNR times in the noise, $1 + \\mathrm{SNR}$ in $v$",
    "P(x_{t-1} = 1 | x_t = 1) is 1 - eps": "$P(x_{t-1} = 1 \\mid x_t = 1)$ is $1 - \\epsilon$",
    "x_{t-1} = x_t xor n holds": "$x_{t-1} = x_t \\mathbin{\\mathrm{xor}} n$ holds",
    "the mean of grad log q(x_t | x_0) over": "the mean of $\\nabla \\log q(x_t \\mid x_0)$ over",
    "softplus(a) − x a in the logit a; over": "$\\operatorname{softplus}(a) - x a$ in the logit $a$; over",
    "misses it by Var(w)/(2 k p(x)^2)": "misses it by $\\operatorname{Var}(w)/(2 k p(x)^2)$",
    "a Beta(a, b) prior of Beta priors": "a $\\mathrm{Beta}(a,\\, b)$ prior of Beta priors",
    "From x_t = a x_0 + b noise: the": "From $x_t = a x_0 + b\\, \\text{noise}$: the",
    "(x_t, v) is (x_0, noise), turned": "$(x_t,\\, v)$ is $(x_0,\\, \\text{noise})$, turned",
    "what D* is at the equilibrium": "what $D^\\star$ is at the equilibrium",
    # the article, and the letter
    "A pixel is a step, and A, B > 0": "A pixel is a step, and $A$, $B > 0$",
    "x_t divided by a has a noise of b/a": "$x_t$ divided by $a$ has a noise of $b/a$",
    "its score a times that of a point; a ≠ 0": "its score $a$ times that of a point; $a \\ne 0$",
    "for w > 0 a larger one, and at 2a − z": "for $w > 0$ a larger one, and at $2a - z$",
    "it counts like a ones and b zeros": "it counts like $a$ ones and $b$ zeros",
    # what is no mathematics
    "one of 256, between 0 and 1": "one of 256, between 0 and 1",
    "eqs. 6-7, eq. (3), appendix A, app. B.6": "eqs. 6-7, eq. (3), appendix A, app. B.6",
    "Särkkä & Solin (2019); Hyvärinen (2005)": "Särkkä & Solin (2019); Hyvärinen (2005)",
    "2M or a parabola (3M), DPM-Solver++": "2M or a parabola (3M), DPM-Solver++",
    "a K-th of it, non-saturating": "a $K$-th of it, non-saturating",
    "Gibbs' and Bayes' rule; a model's mean": "Gibbs' and Bayes' rule; a model's mean",
    "what expm1 makes of solver_order=3": "what `expm1` makes of `solver_order=3`",
    "see ``reversal.naive-chain``, ``flipped_bit``": "see {claim}`reversal.naive-chain`, `flipped_bit`",
    "pull on x 0": "pull on $x_0$",
    "kl to the wide law, bayes kernel": "KL to the wide law, Bayes kernel",
    "with $\\beta$ already": "with $\\beta$ already",
    "a *word*, a [link] and a <tag>": "a \\*word\\*, a \\[link\\] and a \\<tag>",
}


@pytest.mark.parametrize("text", SAID)
def test_phrases_read_as_one_would_write_them(text):
    assert in_mathematics(text) == SAID[text]


def test_a_page_is_asked_for_the_shape_of_its_letters():
    naive, plain = import_module("derivations.reversal.naive"), import_module("derivations.vae.gradients")
    assert in_mathematics("1 - eps, and eps_t", naive) == r"$1 - \varepsilon$, and $\epsilon_t$"
    assert in_mathematics("see ``flipped_bit``", naive) == "see {claim}`reversal.discrete-toy`"
    assert in_mathematics("μ + σε", plain) == r"$\mu + \sigma\epsilon$"
    assert in_mathematics("the mean of φ", import_module("derivations.sampler.langevin")) == r"the mean of $\varphi$"


def phrases() -> dict[str, set[str]]:
    """Everything that claims say in words, by the page on which they say it."""
    found: dict[str, set[str]] = {name: set() for name in PAGES}
    for claim in claims().values():
        said = found[claim.page.__name__.partition(".")[2]]
        said |= {claim.title, claim.assumes, claim.source, *claim.because.values()}
        said |= {(d.__doc__ or "").strip().partition("\n")[0] for d in claim.proved_by}
        said |= {text for rule in reasons(claim) for text in (rule.name, rule.granted)}
    for name, said in found.items():
        page = import_module(f"derivations.{name}")
        said |= {remark(page), *(meaning for _, meaning in notation(page))}
    return {name: said - {""} for name, said in found.items()}


PHRASES = phrases()
ENGLISH = {
    "a",
    "an",
    "as",
    "at",
    "be",
    "by",
    "do",
    "if",
    "in",
    "is",
    "it",
    "no",
    "of",
    "on",
    "or",
    "so",
    "to",
    "up",
    "al",
}
SHORT = {"2M", "3M", "KL", "VP", "VE", "eq", "et", "al", "go"} | {"Ho", "Lu", "Du", "De", "de"}


def outside(said: str) -> str:
    """What stands outside mathematics and outside names of programs."""
    return re.sub(r"\$[^$]*\$|(\{claim\})?`[^`]*`", "§", said)


def of_page(name: str) -> Iterator[tuple[str, str]]:
    page = import_module(f"derivations.{name}")
    assert PHRASES[name], "a page without claims"
    return ((text, in_mathematics(text, page)) for text in sorted(PHRASES[name]))


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_mathematics_is_left_among_the_words(name):
    for text, said in of_page(name):
        left = re.sub(r"(?:ppendix|pp\.|equations) [A-Z]\b", "", outside(said))
        stray = re.findall(r"[_^$=≤≥√∂‖|→·±]|\\\w|[Α-ω₀-ₜ⁰-ⁿ²³ᵀ]|(?<!\S)[-+<>/](?=\S)|\w\((?!s\))|§ ?[-+<>/]\s", left)
        assert not stray, text
        short = {word for word in re.findall(r"(?<![\w'’-])\w{1,2}(?![\w])", left) if not word.isdigit()}
        assert {w for w in short if w.lower() not in ENGLISH} <= SHORT, text


@pytest.mark.parametrize("name", PAGES)
def test_words_are_those_of_the_claim(name):
    spoken = lambda sentence: re.findall(r"[^\W\d_]{3,}", sentence.lower())
    for text, said in of_page(name):
        original = iter(spoken(text))
        assert all(word in original for word in spoken(outside(said))), "a word is new, or out of its order"


@pytest.mark.parametrize("name", PAGES)
def test_katex_sets_what_is_between_the_dollars(name):
    page = import_module(f"derivations.{name}")
    for text, said in of_page(name):
        assert said.count("$") % 2 == 0, text
        assert in_mathematics(said, page) == said, "what has been read once is left as it is"
        for latex in re.findall(r"\$([^$]+)\$", said):
            assert render(latex).html


@pytest.mark.parametrize("name", PAGES)
def test_docstrings_become_paragraphs_displays_and_references(name):
    page = import_module(f"derivations.{name}")
    said = of_docstring(page)
    assert ":math:" not in said
    assert ".. " not in said
    assert "``" not in said
    displays = re.findall(r"^\$\$\n(.+?)\n\$\$$", said, re.MULTILINE | re.DOTALL)
    assert len(displays) == said.count("$$") / 2
    for latex in displays:
        assert render(latex, display=True).html
        assert not re.search(r"&|\\qquad|\\\\", latex), "one idea in each display"
    prose = re.sub(r"\$\$.+?\$\$", "", said, flags=re.DOTALL)
    for latex in re.findall(r"\$([^$]+)\$", prose):
        assert render(latex).html
    sources = re.search(r"\nReferences?:\n(.+)", page.__doc__ or "", re.DOTALL)
    listed = re.findall(r"^- .+$", said, re.MULTILINE)
    assert len(listed) == len(re.findall(r"^    \S", sources[1] if sources else "", re.MULTILINE))
    assert all(re.search(r"\((1[5-9]|20)\d\d\)", row) for row in listed), "an entry has an author and a year"


@pytest.mark.parametrize("name", PAGES)
def test_letters_are_set_as_the_derivations_write_them(name):
    page = import_module(f"derivations.{name}")
    for latex, meaning in notation(page):
        assert render(latex).html
        assert meaning


def test_what_a_page_says_of_its_letters():
    def said(name: str) -> dict[str, str]:
        page = import_module(f"derivations.{name}")
        return {letters: in_mathematics(meaning, page) for letters, meaning in notation(page)}

    assert said("reversal.denoising")[r"m_0,\; v_0"] == "mean and variance of the data"
    assert said("vlb.bound")[r"\bar{q}_{t}(x_t \mid x_0)"] == "from $x_0$ in one jump"
    decay = remark(import_module("derivations.forward.schedules"))
    assert in_mathematics(decay).startswith("$N$ is $T - 1$, the number of intervals")
    assert remark(import_module("derivations.bayes.flat")) == ""


def test_a_short_condition_stays_beside_its_formula():
    assert words.formulas(r" a=b,\qquad t\ge2 . \\ c&=d") == [r"a=b,\quad t\ge2.", "c=d"]
    assert words.formulas(r"M=I:\qquad x=\frac12 ,\qquad y=3") == [r"M=I:\quad x=\frac12,", "y=3"]
