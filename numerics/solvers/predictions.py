r"""What networks predict, each in terms of the others: at x = a x_0 + b epsilon, x_0 is affine in x and the prediction.

===========  ==================================  ==================================
prediction   what it is                          x_0
===========  ==================================  ==================================
``x_0``      the data                            :math:`p`
``noise``    :math:`\epsilon`                    :math:`(x-b\,p)/a`
``v``        :math:`a\,\epsilon-b\,x_0`          :math:`(a\,x-b\,p)/(a^2+b^2)`
``score``    :math:`-\epsilon/b`                 :math:`(x+b^2p)/a`
``velocity`` :math:`x_0-\epsilon`                :math:`(x+b\,p)/(a+b)`
===========  ==================================  ==================================

The best prediction is the expectation given x.  For mixtures of Gaussians it is known (``denoiser``), by the same code
for NumPy and torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from ..worlds import Mixture
from .grids import Level

Predict = Callable[[Any, Level], Any]

MANY = 32  # components, above which they are looked at together, if they have one covariance

KINDS: dict[str, Callable[[float, float], tuple[float, float]]] = {
    "x_0": lambda a, b: (0.0, 1.0),
    "noise": lambda a, b: (1 / a, -b / a),
    "v": lambda a, b: (a / (a * a + b * b), -b / (a * a + b * b)),
    "score": lambda a, b: (1 / a, b * b / a),
    "velocity": lambda a, b: (1 / (a + b), b / (a + b)),
}


def x_0_from(kind: str, level: Level) -> tuple[float, float]:
    """The coefficients of x and of the prediction in x_0.  Raises ValueError where it says nothing of x_0."""
    if kind not in KINDS:
        raise ValueError(f"there is no prediction called {kind}; expected one of {', '.join(KINDS)}")
    if not level.scale and kind in ("noise", "score"):
        raise ValueError(
            f"at alpha_bar = 0 a network that predicts {kind} says nothing about x_0 (parameterization."
            "zero-snr-degenerate): predict x_0, v or velocity, or begin at a level with some signal, as the grid "
            "trailing does"
        )
    return KINDS[kind](level.scale, level.noise)


def converted(predict: Predict, kind: str) -> Predict:
    """A network that predicts x_0, as one that predicts something else.  There is no such reading without noise."""

    def prediction(x: Any, level: Level) -> Any:
        of_x, of_p = x_0_from(kind, level)
        return (predict(x, level) - of_x * x) / of_p

    return prediction if kind != "x_0" else predict


def guided(conditional: Predict, unconditional: Predict, combine: Callable[[Any, Any], Any]) -> Predict:
    """Guidance: two predictions, and what is made of them."""
    return lambda x, level: combine(conditional(x, level), unconditional(x, level))


def denoiser(world: Mixture) -> Predict:
    """E[x_0 | x], if the world is the law of x_0: each component pulls towards its own mean, as far as it explains x.

    For arrays of any library that follows the array API, (..., d), or (...) in one dimension.
    """
    with np.errstate(divide="ignore"):
        log_weights = np.log(world.weights)
    means, variances, axes = world.centres + world.shift, world.spread.spectra, world.spread.axes

    def of(k: int, parts: Any) -> Any:
        return parts[k if len(parts) > 1 else 0]

    def likely(terms: Any) -> Any:
        """The probabilities of components from what is proportional to their logarithms."""
        xp = array_namespace(terms)
        p = xp.exp(terms - xp.max(terms, axis=-1, keepdims=True))
        return p / xp.sum(p, axis=-1, keepdims=True)

    def among_many(points: Any, a: float, b: float, there: Callable[[Any], Any]) -> Any:
        """Where all components have one isotropic covariance: the pull is towards the mean of their means."""
        v = float(variances[0, 0])
        spread, centre = a * a * v + b * b, np.mean(means, axis=0)
        apart, at = points - a * there(centre), there(means - centre)  # or far from 0 the squares would cancel
        squares = a * a * there(np.sum((means - centre) ** 2, axis=-1)) - 2 * a * (apart @ at.T)
        middle = likely(there(log_weights) - squares / (2 * spread)) @ at
        within = a * v / spread * (apart - a * middle) if v else 0.0
        return there(centre) + middle + within

    def predict(x: Any, level: Level) -> Any:
        a, b = level.scale, level.noise
        if not b:
            return x / a  # without noise x says it all
        xp = array_namespace(x)
        points = x[..., None] if world.dimension is None else x

        def there(array: Any) -> Any:
            return xp.asarray(np.array(array), dtype=x.dtype, device=x.device)

        if world.spread.isotropic and len(means) > MANY:
            return among_many(points, a, b, there)
        logs, pulls = [], []
        for k, mean in enumerate(means):
            spread = np.broadcast_to(a * a * of(k, variances) + b * b, mean.shape)
            turn = None if axes is None else of(k, axes)
            apart = points - a * there(mean)
            apart = apart if turn is None else apart @ there(turn)
            squares = xp.sum(apart * apart / there(spread), axis=-1)
            pull = apart * there(a * of(k, variances) / spread)
            pulls.append(there(mean) + (pull if turn is None else pull @ there(turn.T)))
            logs.append(float(log_weights[k]) - (squares + float(np.sum(np.log(spread)))) / 2)
        p = likely(xp.stack(logs, axis=-1))
        x_0: Any = sum(p[..., k : k + 1] * pull for k, pull in enumerate(pulls))
        return x_0[..., 0] if world.dimension is None else x_0

    return predict
