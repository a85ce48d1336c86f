r"""The score given a label is the score, plus the gradient of a classifier that has learned to look at noise.

.. math:: \nabla_x\log q_t(x\mid y)=\nabla_x\log q_t(x)+\nabla_x\log p_t(y\mid x),\qquad
          p_t(y\mid x)=\mathbb E\bigl[p(y\mid x_0)\,\big|\,x_t=x\bigr],

    \hat\epsilon(x\mid y)=\hat\epsilon(x)-\sqrt{1-\bar\alpha_t}\;\nabla_x\log p_t(y\mid x) .

It is Bayes' rule, whose normaliser :math:`p(y)` has no gradient in x. The classifier is that of :math:`x_t`: it
averages what a classifier of clean data says over the :math:`x_0` that may be behind :math:`x_t`. The clean classifier,
shown :math:`x_t` itself, is another function. So it is, shown the mean of :math:`x_0` given :math:`x_t`, unless it is
affine, where averaging it is the same as applying it to the average.

Densities of x are written q, those of the label p. Vectors are read one coordinate at a time.

References:
    Dhariwal & Nichol (2021), Diffusion models beat GANs on image synthesis, eq. (14).
    Weng (2021), What are diffusion models?, "Classifier Guided Diffusion".
    Chung, Kim, Mccann, Klasky & Ye (2023), Diffusion posterior sampling (the classifier at the mean of x_0).
"""

from sympy import Rational, log, sqrt

from ..calculus import (
    Density,
    E,
    d,
    definition,
    differentiation,
    eq,
    integral,
    let,
    linearity,
    normal,
    reals,
    rearranging,
    theorem,
    under_the_integral,
    units,
)
from ..claim import Claim

# Notation of the chapter: data x_0 with a label y, and x_t, which has not seen the label.

x_0, x_t, y = reals("x_0 x_t y")
alpha_bar = units(r"\bar\alpha_t")
predicted_noise, conditional_noise, score, gradient = reals(r"\hat{\epsilon} \hat{\epsilon}_y s_t g_t")

data, labelled = Density("q_0", [x_0]), Density("r", [x_0], given=[y])
marginal, conditional, joint = Density("q_t", [x_t]), Density("q_t", [x_t], given=[y]), Density("q_t", [x_t, y])
clean, noisy, frequency = Density("p", [y], given=[x_0]), Density("p_t", [y], given=[x_t]), Density("p", [y])
guess, guess_with_label = Density("q_0", [x_0], given=[x_t]), Density("q_0", [x_0], given=[x_t, y])

jump = normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar)
noise = (x_t - sqrt(alpha_bar) * x_0) / sqrt(1 - alpha_bar)
marginalisation = definition(
    "x_t is drawn from x_0, and so is y",
    {marginal: integral(jump * data, x_0), joint: integral(clean * jump * data, x_0)},
)
bayes = definition(
    "Bayes' rule",
    {
        guess: jump * data / marginal,
        labelled: clean * data / frequency,
        noisy: joint / marginal,
        conditional: joint / frequency,
        guess_with_label: jump * labelled / conditional,
    },
)
a, b = reals("a b")  # of an affine classifier

# Statement

classifier = E(guess, clean)
guided_score = score + gradient
guided_noise = predicted_noise - sqrt(1 - alpha_bar) * gradient
x_0_mean = (x_t + (1 - alpha_bar) * d(x_t, log(marginal))) / sqrt(alpha_bar)


def classifier_of_noisy_data(classifier=classifier):
    """The classifier of x_t averages that of clean data over what may be behind x_t."""
    yield noisy
    yield eq(joint / marginal, by=bayes)
    yield eq(integral(clean * jump * data, x_0) / marginal, by=marginalisation)
    yield eq(classifier, by=bayes)


def bayes_for_scores(guided_score=guided_score):
    """In Bayes' rule for x_t and y the frequency of the label does not depend on x_t, and has no gradient."""
    yield let(score, d(x_t, log(marginal)))
    yield let(gradient, d(x_t, log(noisy)))
    yield d(x_t, log(conditional))
    yield eq(d(x_t, log(noisy * marginal / frequency)), by=bayes)
    yield eq(guided_score, by=differentiation)


def noise_from_the_score():
    """The noise that one expects in x_t is the score, times minus its standard deviation: without a label ..."""
    yield E(guess, noise)
    yield eq(integral(noise * jump * data, x_0) / marginal, by=bayes)
    # x_t enters through the Gaussian alone, and a Gaussian's slope is itself times a line.
    yield eq(-sqrt(1 - alpha_bar) * d(x_t, integral(jump * data, x_0)) / marginal, by=under_the_integral(x_t))
    yield eq(-sqrt(1 - alpha_bar) * d(x_t, marginal) / marginal, by=marginalisation)
    yield eq(-sqrt(1 - alpha_bar) * d(x_t, log(marginal)), by=differentiation)


def drawn_from_labelled_data():
    """... and with one, since x_t is drawn from the data of that label ..."""
    yield integral(jump * labelled, x_0)
    yield eq(integral(clean * jump * data, x_0) / frequency, by=bayes)
    yield eq(joint / frequency, by=marginalisation)
    yield eq(conditional, by=bayes)


def noise_from_the_labelled_score():
    """... in the same way."""
    yield E(guess_with_label, noise)
    yield eq(integral(noise * jump * labelled, x_0) / conditional, by=bayes)
    yield eq(-sqrt(1 - alpha_bar) * d(x_t, integral(jump * labelled, x_0)) / conditional, by=under_the_integral(x_t))
    yield eq(-sqrt(1 - alpha_bar) * d(x_t, conditional) / conditional, by=theorem(drawn_from_labelled_data))
    yield eq(-sqrt(1 - alpha_bar) * d(x_t, log(conditional)), by=differentiation)


def noise_given_the_label(guided_noise=guided_noise):
    """So a label shifts the noise that one expects against the gradient of the classifier."""
    yield let(predicted_noise, E(guess, noise))
    yield let(gradient, d(x_t, log(noisy)))
    yield E(guess_with_label, noise)
    yield eq(-sqrt(1 - alpha_bar) * d(x_t, log(conditional)), by=theorem(noise_from_the_labelled_score))
    yield eq(-sqrt(1 - alpha_bar) * (d(x_t, log(marginal)) + gradient), by=theorem(bayes_for_scores))
    yield eq(guided_noise, by=rearranging(noise_from_the_score))


def affine_classifier():
    """Where the clean classifier is affine, it is enough to show it the mean of x_0."""
    yield E(guess, a + b * x_0)
    yield eq(a + b * (x_t - sqrt(1 - alpha_bar) * E(guess, noise)) / sqrt(alpha_bar), by=linearity)
    yield eq(a + b * x_0_mean, by=theorem(noise_from_the_score))


CLAIMS = [
    Claim(
        "guidance.bayes-score",
        "The score given a label is the score plus the gradient of the log probability of the label given x_t, which "
        "is the mean of that given x_0.",
        proved_by=(
            classifier_of_noisy_data,
            bayes_for_scores,
            noise_from_the_score,
            drawn_from_labelled_data,
            noise_from_the_labelled_score,
            noise_given_the_label,
            affine_classifier,
        ),
        evidence="S Q P T",
        assumes="the standing assumptions; given x_0, the label and x_t are independent",
        source="Dhariwal & Nichol (2021) eq. 14; Weng (2021)",
        tier="extended",
        mistakes={
            "plus": {"guided_noise": predicted_noise + sqrt(1 - alpha_bar) * gradient},
            "no-root": {"guided_noise": predicted_noise - (1 - alpha_bar) * gradient},
            "clean-classifier": {"classifier": clean(y, x_t)},
            "clean-at-tweedie": {"classifier": clean(y, x_0_mean)},
        },
        because={
            "plus": "right for the score, and the noise points against it",
            "clean-classifier": "a classifier of images, bought off the shelf, which has never seen noise",
            "clean-at-tweedie": "the classifier of an average is taken for the average of the classifier",
        },
    ),
]

# A world for the witness: two clusters, and a label that is x_0 with noise of another kind.

blur = Rational(2, 3)
clusters = ((Rational(3, 10), -1, Rational(1, 2)), (Rational(7, 10), Rational(3, 2), Rational(4, 5)))
DATA = sum(w * normal(x_0, m, v) for w, m, v in clusters)
NOISED = sum(w * normal(x_t, sqrt(alpha_bar) * m, alpha_bar * v + 1 - alpha_bar) for w, m, v in clusters)
FREQUENCY = sum(w * normal(y, m, v + blur) for w, m, v in clusters)
JOINT = sum(
    w
    * normal(y, m, v + blur)
    * normal(x_t, sqrt(alpha_bar) * (m * blur + y * v) / (v + blur), alpha_bar * v * blur / (v + blur) + 1 - alpha_bar)
    for w, m, v in clusters
)
WORLD = {
    data: DATA,
    clean: normal(y, x_0, blur),
    marginal: NOISED,
    frequency: FREQUENCY,
    joint: JOINT,
    noisy: JOINT / NOISED,
    conditional: JOINT / FREQUENCY,
    labelled: normal(y, x_0, blur) * DATA / FREQUENCY,
    guess: jump * DATA / NOISED,
    guess_with_label: jump * normal(y, x_0, blur) * DATA / JOINT,
}
