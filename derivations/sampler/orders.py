r"""What a step misses, and what many miss: DDIM is of first order, Heun and 2M of second, 3M of third if begun well.

One step of size h from a point of the exact flow, with exact predictions, misses the flow by :math:`c\,h^{p+1}` and
what is of higher order; p is the order. With :math:`\lambda=\log(a/\sigma)` for the time and :math:`P(\lambda)` for
the predicted data along the flow, in units of :math:`\sigma_s`,

.. math:: \text{DDIM}:\ \frac{h^2}2e^\lambda P',\qquad
    \text{2M}:\ h^3e^\lambda\Bigl(\frac{2+3r}{12}P''+\frac1{12}P'\Bigr),\qquad
    \text{3M}:\ \frac{h^4}6e^\lambda\Bigl(\frac14+\frac{2r+\tilde r}3+\frac{r(r+\tilde r)}2\Bigr)P''' .

For a flow with the slope g and what the slope gains off the flow, J for each unit, Heun misses
:math:`h^3(Jg'/4-g''/12)`. The steps of Euler and Maruyama miss the variance of a Gaussian by :math:`h^2(V''/2-B^2V)`.

What a step misses grows by the factor 1 + Lh at every later step, so N steps of size T/N miss
:math:`c\,h^p(e^{LT}-1)/L`: one power of h is lost. That a sampler passes errors on like this, with some L and for
every point, is what is assumed of smooth predictions; so is a smooth grid, whose steps shrink together. The first step
of 2M and 3M is DDIM's: its :math:`h^2` is not summed, but no later step undoes it. It does not harm 2M; 3M is of third
order if it begins with predictions from before its first step, and a run that DDIM begins is of second. What that step
misses is small where there is hardly any signal, so that from there a run of 3M shows the order 3 at first.

For data that are not Gaussian, a step of Euler and Maruyama misses the mean of every smooth function by :math:`O(h^2)`
as well, because the diffusion moves it at the same rate (``sde.fokker-planck``); that such errors add up to a weak
order is a theorem of Kloeden and Platen.

References:
    Karras, Aittala, Aila & Laine (2022), Elucidating the design space of diffusion-based generative models, section 3.
    Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion probabilistic models, section 4.
    Kloeden & Platen (1992), Numerical solution of stochastic differential equations.
    Hairer, Norsett & Wanner (1993), Solving ordinary differential equations I.
"""

from sympy import Add, Integer, Rational, Sum, exp, expand, factorial, oo, sqrt

from ..calculus import (
    Cov,
    Density,
    E,
    RealFunction,
    Var,
    algebra,
    d,
    definition,
    eq,
    gaussian_moments,
    induction,
    let,
    limit,
    naturals,
    normal,
    positives,
    reals,
    taylor,
    tends_to,
    up_to,
)
from ..claim import Claim
from ..sde.fokker_planck import short_step
from .multistep import (
    HALF_CURVATURE,
    WHERE,
    a_s,
    a_t,
    first,
    h,
    lambda_t,
    predicted_before,
    predicted_prev,
    predicted_x_0,
    r,
    r_prev,
    second,
    sigma_s,
    sigma_t,
    step_1,
    step_2m,
    step_3m,
    x_t,
)

__all__ = ["CLAIMS", "WHERE", "WORLD", "a_t"]

# Notation: y = x/sigma and P are functions of lambda along the flow; P_1, P_2, P_3 are the derivatives of P at t.

l, p_1, p_2, p_3, change, bend = reals(r"\lambda P_1 P_2 P_3 \Delta_1 \Delta_2")
y, P = RealFunction("y", [l]), RealFunction("P", [l])
flow = definition("the flow", {P: exp(-l) * d(l, y)})

# Heun: u is the flow in a time s, g its slope, and g + J z + K z^2 the slope at a point that is z away from it.  A step
# of Euler falls short of the flow by h^2 (g' + h Q)/2.

s, g_1, g_2, pull, slope, slope_next = reals("s g_1 g_2 J_0 k_1 k_2")
u, g, J, K, Q = (RealFunction(name, [s]) for name in ("u", "g", "J", "K", "Q"))
slopes = definition("g is the slope of the flow", {g: d(s, u)})

# Euler and Maruyama: Gaussian data with the mean m have the drift -B (x - m), and the diffusion G.

fresh, m, b, v_2 = reals(r"\xi m B_0 V_2")
v, noise = positives("V_0 G_0")
B, V, G = RealFunction("B", [s]), Density("V", at=[s]), Density("G", at=[s])
variances = definition("the variance along the diffusion", {G: d(s, V) + 2 * B * V})

p, N, k = naturals("p N k")
missed, L, span, size = positives(r"c L T \tau")

# Statement: steps, their orders, and what one of them misses, which is constant h^(order + 1).

heun = x_t + h * (slope + slope_next) / 2
euler_maruyama = x_t + h * slope + sqrt(h * noise) * fresh
order_ddim, order_heun, order_2m, order_3m, weak_order = map(Integer, (1, 2, 2, 3, 1))
order_begun = Integer(2)  # of a run whose first step is DDIM's, if later ones miss no more
constant_ddim = exp(lambda_t) * p_1 / 2
constant_2m = exp(lambda_t) * ((2 + 3 * r) * p_2 + p_1) / 12
constant_3m = exp(lambda_t) * (Rational(1, 4) + (2 * r + r_prev) / 3 + r * (r + r_prev) / 2) * p_3 / 6
constant_heun = pull * g_1 / 4 - g_2 / 12
weak_constant = v_2 / 2 - b**2 * v


PREDICTED = tuple(P(lambda_t - back) for back in (0, r * h, (r + r_prev) * h))


def derivative(f, x, n):
    return f if n == 0 else d(x, derivative(f, x, n - 1))


def taken(f, x, n):
    """What f gains on the way from x to x + h, by the first n derivatives."""
    return sum(h**j / factorial(j) * derivative(f, x, j) for j in range(1, n + 1))


def misses(step, times=Integer(1)):
    """How far the flow is from a step with exact predictions, in units of sigma_s."""
    now, before, earlier = PREDICTED
    exact = {x_t: sigma_t * y(lambda_t), predicted_x_0: now, predicted_prev: before, predicted_before: earlier}
    terms = Add.make_args(step.xreplace(exact | {first: change / h, second: bend / h**2}))
    return times * y(lambda_t + h) - Add(*(times * term / sigma_s for term in terms))


def added(*weights):
    """What a step adds to y: so much of P and of each of its derivatives."""
    return sum(exp(lambda_t) * w * derivative(P(lambda_t), lambda_t, j) for j, w in enumerate(weights))


def ddim_misses(step_1=step_1, order_ddim=order_ddim, constant_ddim=constant_ddim):
    """In units of σ_s: DDIM holds a prediction that moves, and misses half of what this comes to."""
    yield let(p_1, derivative(P(lambda_t), lambda_t, 1))
    yield misses(step_1)
    yield up_to(taken(y(lambda_t), lambda_t, 2) - added(h + h**2 / 2), h, 3, by=taylor())
    yield eq(constant_ddim * h ** (order_ddim + 1), by=flow)


def two_predictions(step_2m=step_2m, order_2m=order_2m, constant_2m=constant_2m):
    """In units of σ_s: 2M knows how the prediction moves, not how this changes, and does not integrate its line."""
    yield let(p_1, derivative(P(lambda_t), lambda_t, 1))
    yield let(p_2, derivative(P(lambda_t), lambda_t, 2))
    yield misses(step_2m)
    weights = h + h**2 / 2 + h**3 / 6, h**2 / 2 + h**3 / 4, -r * h**3 / 4
    yield up_to(taken(y(lambda_t), lambda_t, 3) - added(*weights), h, 4, by=taylor())
    yield eq(constant_2m * h ** (order_2m + 1), by=flow)


def gap():
    """What 3M misses, times h^2."""
    line, parabola = h * exp(h) - exp(h) + 1, (h**2 - 2 * h + 2) * exp(h) - 2
    moves = h**2 * (exp(h) - 1) * P(lambda_t) + line * h * (change + r * bend) + parabola * bend
    return h**2 * (y(lambda_t + h) - y(lambda_t)) - exp(lambda_t) * moves


def three_predictions(step_3m=step_3m):
    """3M knows both.  Times h^2 / σ_s there are no divided differences in it, but Δ_1 for hD and Δ_2 for h^2 D_2 ..."""
    yield misses(step_3m, times=h**2)
    yield eq(gap(), by=algebra)


def three_predictions_miss(order_3m=order_3m, constant_3m=constant_3m):
    """... and what it does not know is the third derivative; this too is times h^2, in units of σ_s."""
    now, before, earlier = PREDICTED
    yield let(change, (now - before) / r)
    yield let(bend, (change - (before - earlier) / r_prev) / (r + r_prev))
    yield let(p_3, derivative(now, lambda_t, 3))
    yield gap()
    ones, lines = 1 + h / 2 + h**2 / 6 + h**3 / 24, Rational(1, 2) + h / 3 + h**2 / 8
    squares, cubes = Rational(1, 6) + h / 8, -((2 * r + r_prev) / 3 + r * (r + r_prev) / 2) / 6
    moved = added(h**3 * ones, h**4 * lines, h**5 * squares, h**6 * cubes)
    yield up_to(expand(h**2 * taken(y(lambda_t), lambda_t, 4)) - moved, h, 7, by=taylor())
    yield eq(constant_3m * h ** (order_3m + 3), by=flow)


def heun_misses(heun=heun, order_heun=order_heun, constant_heun=constant_heun):
    """Heun averages the slopes at both ends; where it takes the second, it is off by half the curvature."""
    off = -(h**2) / 2 * (g_1 + h * Q(h))
    there = g(s + h) + off * J(s + h) + off**2 * K(s + h)
    yield let(g_1, derivative(g, s, 1))
    yield let(g_2, derivative(g, s, 2))
    yield let(pull, J)
    yield u(s + h) - heun.xreplace({x_t: u, slope: g, slope_next: there})
    gained = h * g + h**2 / 2 * g_1 + h**3 / 4 * g_2 - h**3 / 4 * g_1 * pull
    yield up_to(taken(u, s, 3) - gained, h, 4, by=taylor())
    yield eq(constant_heun * h ** (order_heun + 1), by=slopes)


def mean_of_euler_maruyama(euler_maruyama=euler_maruyama):
    """The mean moves along the slope, ..."""
    yield x_t + h * slope
    yield eq(E(normal(fresh, 0, 1), euler_maruyama), by=gaussian_moments)


def noise_of_euler_maruyama(euler_maruyama=euler_maruyama):
    """... and a draw moves with the noise of its path, which in the time h is a root of h."""
    yield sqrt(h) * sqrt(noise)
    yield eq(Cov(normal(fresh, 0, 1), fresh, euler_maruyama), by=gaussian_moments)


def variance_missed(euler_maruyama=euler_maruyama, weak_order=weak_order, weak_constant=weak_constant):
    """A step of Euler and Maruyama shrinks a Gaussian along the slope at its start, and adds the noise from there."""
    stepped = euler_maruyama.xreplace({slope: -b * (x_t - m)})
    yield let(b, B)
    yield let(v, V)
    yield let(noise, G)
    yield let(v_2, derivative(V, s, 2))
    yield V(s + h) - Var(normal(x_t, m, v) * normal(fresh, 0, 1), stepped)
    yield eq(V(s + h) - (1 - h * b) ** 2 * v - h * noise, by=gaussian_moments)
    yield up_to(taken(V, s, 2) + (2 * h * b - h**2 * b**2) * v - h * noise, h, 3, by=taylor())
    yield eq(weak_constant * h ** (weak_order + 1), by=variances)


def errors_add_up():
    """What one step misses grows by 1 + Lh at each later one, which adds up ..."""
    yield Sum(missed * h ** (p + 1) * (1 + L * h) ** (k - 1), (k, 1, N))
    yield eq(missed * h**p * ((1 + L * h) ** N - 1) / L, by=induction(N))


def one_power_is_lost():
    """... to one power of h less, if there are N steps in the time T."""
    yield N**p * (missed * (span / N) ** p * ((1 + L * span / N) ** N - 1) / L)
    yield eq(missed * span**p * ((1 + L * span / N) ** N - 1) / L, by=algebra)
    yield tends_to(missed * span**p * (exp(L * span) - 1) / L, N, oo, by=limit())


def first_step_stays(order_ddim=order_ddim, order_begun=order_begun):
    """What DDIM misses in a first step grows alike, but is no sum and loses no power: 3M after it is of order 2."""
    yield let(size, span / N)
    yield N**order_begun * (missed * size ** (order_ddim + 1) * (1 + L * size) ** (N - 1))
    yield eq(missed * span**order_begun * (1 + L * span / N) ** (N - 1), by=algebra)
    yield tends_to(missed * span**order_begun * exp(L * span), N, oo, by=limit())


CLAIMS = [
    Claim(
        "sampler.orders",
        "The error of one step on the exact flow gives DDIM the order 1, Heun and 2M the order 2, 3M the order 3, or 2 "
        "if its first step is DDIM's, and Euler-Maruyama the weak order 1, with a constant for Gaussian data; errors "
        "of all steps add up to one power of h less.",
        proved_by=(
            ddim_misses,
            two_predictions,
            three_predictions,
            three_predictions_miss,
            heun_misses,
            mean_of_euler_maruyama,
            noise_of_euler_maruyama,
            variance_missed,
            short_step,
            errors_add_up,
            one_power_is_lost,
            first_step_stays,
        ),
        evidence="S Q B",
        kind="order",
        assumes="a smooth flow with exact predictions; nodes that are the image of a uniform grid under a smooth map; "
        "errors grow by 1 + Lh at every step; for the order 3, a first step of 3M that knows two earlier predictions",
        source="Karras et al. (2022) section 3; Lu et al. (2022), DPM-Solver++, section 4; Kloeden & Platen (1992)",
        mistakes={
            "heun-order-1": {"order_heun": Integer(1)},
            "2m-order-1": {"order_2m": Integer(1)},
            "3m-begun-with-ddim": {"order_begun": Integer(3)},
            "2m-sign-flipped": {"step_2m": 2 * step_1 - step_2m},
            "2m-correction-dropped": {"step_2m": step_1},
            "ddim-order-2": {"order_ddim": Integer(2)},
            "weak-half": {"weak_order": Rational(1, 2)},
            "half-curvature": {"step_3m": step_3m - a_s * (h**2 / 2 - h + 1 - exp(-h)) * second},
        },
        because={
            "heun-order-1": "that of Euler's predictor in it",
            "2m-order-1": "that of its first step",
            "3m-begun-with-ddim": "that of all its later steps, which is seen where a run begins almost without signal",
            "weak-half": "the strong order where the noise depends on the place; here, on time alone, that is 1 too",
            "half-curvature": HALF_CURVATURE,
        },
    ),
]

# A world for the witness.

WORLD = {
    y: exp(2 * l) + l * exp(l),
    P: 2 * exp(l) + l + 1,
    u: s + s**3 / 3,
    g: 1 + s**2,
    J: 1 / (1 + s**2),
    Q: s,
    K: 1 + s,
    V: 1 + exp(s),
    B: 1 + s**2 / 2,
    G: exp(s) + (2 + s**2) * (1 + exp(s)),
}
