r"""A mixture of Gaussians stays one: each component moves and widens by itself, and the weights do not change.

.. math:: q_t(x)=\sum_kw_k\,\mathcal N\bigl(x;\ \sqrt{\bar\alpha_t}\mu_k,\ \bar\alpha_tc_k+1-\bar\alpha_t\bigr),\qquad
          s_t(x)=-\sum_kr_k(x)\,\frac{x-\sqrt{\bar\alpha_t}\mu_k}{\bar\alpha_tc_k+1-\bar\alpha_t} .

The score pulls towards the means, weighed by the responsibilities :math:`r_k(x)`, which depend on x: between two
clusters it turns round. Two components say everything; the checks take more, and more dimensions.
"""

from sympy import log, sqrt

from ..calculus import d, differentiation, eq, gaussian_integral, integral, linearity, normal, positives, reals, units
from ..claim import Claim

# Notation: component k has the mean mu_k and the variance c_k in the data, and v_k at time t.

x_0, x_t, mu_1, mu_2 = reals(r"x_0 x_t \mu_1 \mu_2")
c_1, c_2, v_1, v_2 = positives("c_1 c_2 v_1 v_2")
w, alpha_bar = units(r"w \bar\alpha_t")
WHERE = {v_1: alpha_bar * c_1 + 1 - alpha_bar, v_2: alpha_bar * c_2 + 1 - alpha_bar}

step = normal(x_t, sqrt(alpha_bar) * x_0, 1 - alpha_bar)
data = w * normal(x_0, mu_1, c_1) + (1 - w) * normal(x_0, mu_2, c_2)


def two(x, first, second):
    """The mixture of two Gaussians with these variances, at time t."""
    return w * normal(x, sqrt(alpha_bar) * mu_1, first) + (1 - w) * normal(x, sqrt(alpha_bar) * mu_2, second)


# Statement

density = two(x_t, v_1, v_2)
first, second = normal(x_t, sqrt(alpha_bar) * mu_1, v_1), normal(x_t, sqrt(alpha_bar) * mu_2, v_2)
pull_1, pull_2 = (x_t - sqrt(alpha_bar) * mu_1) / v_1, (x_t - sqrt(alpha_bar) * mu_2) / v_2
score = -(w * first / density * pull_1 + (1 - w) * second / density * pull_2)


def still_a_mixture(density=density):
    """The forward process takes the components one by one."""
    yield integral(step * data, x_0)
    apart = (w * integral(step * normal(x_0, mu_1, c_1), x_0), (1 - w) * integral(step * normal(x_0, mu_2, c_2), x_0))
    yield eq(apart[0] + apart[1], by=linearity)
    yield eq(density, by=gaussian_integral(x_0))


def pulled_towards_the_means(score=score):
    """A Gaussian's slope is itself times a line; divided by the sum, the Gaussians become responsibilities."""
    yield d(x_t, log(density))
    yield eq(score, by=differentiation)


CLAIMS = [
    Claim(
        "forward.gmm-marginal",
        "A mixture of Gaussians stays a mixture with the same weights; its score averages pulls over responsibilities.",
        proved_by=(still_a_mixture, pulled_towards_the_means),
        evidence="S Q M P",
        mistakes={
            "prior-weights-in-score": {"score": -(w * pull_1 + (1 - w) * pull_2)},
            "std-shrinks": {
                "density": two(x_t, sqrt(alpha_bar) * c_1 + 1 - alpha_bar, sqrt(alpha_bar) * c_2 + 1 - alpha_bar)
            },
            "noise-not-added": {"density": two(x_t, alpha_bar * c_1, alpha_bar * c_2)},
            "sign": {"score": -score},
        },
        because={"prior-weights-in-score": "right far from where the clusters meet, and not between them"},
    )
]
