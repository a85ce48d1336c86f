r"""What every training needs: formulas with gradients, a minimum that knows how far off it is, one thread.

**A formula as a loss.**  A check is handed a formula and never knows it.  To train with it one needs its slope, which
is one more evaluation beside the real axis: :math:`\operatorname{Im} f(x+ih)/h=f'(x)+O(h^2)`, where nothing cancels, so
that with :math:`h=10^{-100}` the slope is as exact as the formula.  A mistake is trained in the same way.

**A minimum.**  What optimisation has left is not guessed.  At the last iterate, with the gradient g and the curvature
H, the quadratic model promises a decrease of :math:`\tfrac12 g^\top H^{-1}g` (half the square of Newton's decrement)
for a step of :math:`-H^{-1}g`.  That is the error of the loss; and the error of what else is read off the parameters is
how much it would change with the step.  Both are doubled, for what is not quadratic; and no finer error is claimed than
1e-7, below which the rounding of g is not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

Array = np.ndarray
Loss = Callable[[Tensor], Tensor]  # of all parameters, as one vector
Progress = Callable[[int, int, float], None]  # told the updates done, of how many, and the loss

RATE, WARM_UP = 1e-2, 50  # Adam's: up over the first updates, then down to zero in a straight line
BESIDE = 1e-100  # how far from the real axis a formula is evaluated for its slope
STILL = 1e-11  # a decrease by so little, relative, in twenty iterations is none
ROUNDED = 1e-7
FLAT = 1e-9  # eigenvalues of the curvature that count as none, in units of the largest


class OffTheAxis(torch.autograd.Function):
    """A formula of tensors: its value, and its slopes by a step off the real axis."""

    @staticmethod
    def forward(ctx: Any, formula: Callable[..., Any], names: tuple[str, ...], *tensors: Tensor) -> Tensor:
        ctx.formula, ctx.names = formula, names
        ctx.save_for_backward(*tensors)
        at = {name: x.detach().double().numpy() for name, x in zip(names, tensors)}
        return torch.as_tensor(real(formula, at), dtype=tensors[0].dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        at = {name: x.detach().double().numpy() for name, x in zip(ctx.names, ctx.saved_tensors)}
        slopes: list[Tensor | None] = []
        for name, x, wanted in zip(ctx.names, ctx.saved_tensors, ctx.needs_input_grad[2:]):
            if not wanted:
                slopes.append(None)
                continue
            beside = evaluated(ctx.formula, {**at, name: at[name] + 1j * BESIDE})
            slope = torch.as_tensor(np.imag(beside) / BESIDE, dtype=x.dtype) * grad
            slopes.append(slope.expand_as(torch.broadcast_to(grad, slope.shape)).sum_to_size(x.shape))
        return None, None, *slopes


def differentiable(formula: Callable[..., Any], **fixed: Any) -> Callable[..., Tensor]:
    """The formula as a function of tensors by name, with gradients; ``fixed`` letters are no tensors.

    It must be analytic where it is used: powers, exponentials, logarithms, and no absolute value.
    """

    def of_tensors(**at: Tensor) -> Tensor:
        def held(**letters: Any) -> Any:
            return evaluated(formula, {**fixed, **letters})

        return OffTheAxis.apply(held, tuple(at), *at.values())

    return of_tensors


def evaluated(formula: Callable[..., Any], at: dict[str, Any]) -> Any:
    """The value of a formula, complex if it is; one that is under test says so without complaint."""
    if (whole := getattr(formula, "evaluated", None)) is not None:
        return whole(at)
    with np.errstate(all="ignore"):
        return formula(**at)


def real(formula: Callable[..., Any], at: dict[str, Any]) -> Array:
    """Its value as real numbers, NaN where it has none."""
    value = np.asarray(evaluated(formula, at))
    return np.where(np.imag(value) == 0, np.real(value), np.nan)


def learn(network: nn.Module, loss: Callable[[], Tensor], updates: int, progress: Progress | None = None) -> None:
    """Adam on one batch after another; ``loss`` draws a fresh one each time.

    Torch's number of threads is left as it was.  Raises ValueError if a loss is no number: then a draw is none.
    """
    adam = torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.9, 0.99))
    rate = torch.optim.lr_scheduler.LambdaLR(adam, lambda k: min(1.0, (k + 1) / WARM_UP) * (1 - k / updates))
    with one_thread():
        for done in range(1, updates + 1):
            adam.zero_grad()
            value = loss()
            value.backward()
            if not np.isfinite(news := value.item()):
                raise ValueError(f"the loss is {news} in batch {done}; expected draws that are finite numbers")
            adam.step()
            rate.step()
            if progress is not None:
                progress(done, updates, news)


class Minimum(NamedTuple):
    """Where a descent has stopped, where Newton's method would go from there, and what the loss has left to fall."""

    at: Array
    beyond: Array
    value: float
    left: float

    def of(self, quantity: Callable[[Array], Array | float]) -> tuple[Array, Array]:
        """Something read off the parameters, and how far off it may be."""
        here, there = (np.asarray(quantity(x), dtype=float) for x in (self.at, self.beyond))
        return here, 2 * np.abs(there - here) + ROUNDED


def minimised(loss: Loss, start: Tensor, steps: int = 200, progress: Progress | None = None) -> Minimum:
    """The loss descended from ``start``, and what that has left.  Raises FloatingPointError as ``descended`` does."""
    with one_thread():
        return examined(loss, descended(loss, start, steps, progress))


def descended(loss: Loss, start: Tensor, steps: int, progress: Progress | None = None) -> Tensor:
    """Down from ``start`` in double precision by L-BFGS, twenty iterations a step, until it stands still.

    Raises FloatingPointError if the loss stops being a number on the way: a loss without a minimum has none.
    """
    x = start.detach().clone().double().requires_grad_()
    descent = torch.optim.LBFGS(
        [x], lr=1, history_size=30, tolerance_grad=0, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        descent.zero_grad()
        value = loss(x)
        value.backward()
        return value

    before = np.inf
    for done in range(1, steps + 1):
        try:
            value = float(descent.step(closure).detach())
        except IndexError:  # what the line search makes of a step that lands where the loss is no number
            value = np.nan
        if not np.isfinite(value):
            raise FloatingPointError(f"the loss is {value} after {20 * done} steps: it has no minimum")
        if progress is not None:
            progress(done, steps, value)
        if before - value <= STILL * abs(value):  # it stands still
            break
        before = value
    return x.detach()


def examined(loss: Loss, x: Tensor) -> Minimum:
    """What Newton's method would still do at x; it does nothing in directions without curvature.

    Raises FloatingPointError if the loss has no slope there.
    """

    def gradient(y: Array) -> Array:
        at = torch.from_numpy(y).requires_grad_()
        (slope,) = torch.autograd.grad(loss(at), at)
        return slope.numpy()

    at = x.detach().double().numpy().copy()
    g, size = gradient(at), 1e-6 * (1 + np.abs(at))
    h = np.array([(gradient(at + s * e) - g) / s for s, e in zip(size, np.eye(len(at)))])
    if not np.all(np.isfinite(h)):
        raise FloatingPointError("the slope of the loss is no number where it stands still: that is no minimum")
    # By torch, which keeps to one thread: the last bits of what is left do not depend on their number.
    bends, axes = torch.linalg.eigh(torch.from_numpy((h + h.T) / 2))
    along, curved = axes.T @ torch.from_numpy(g), bends.abs() > FLAT * bends.abs().max()
    newton = (axes @ torch.where(curved, along / bends.abs(), 0.0)).numpy()
    with torch.no_grad():
        value = float(loss(torch.from_numpy(at)))
    return Minimum(at, at - newton, value, float(np.sum(g * newton)))


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside, as many as before outside: these networks are too small to share."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def single(x: Array) -> Tensor:
    """The array as a tensor in single precision."""
    return torch.from_numpy(np.asarray(x, dtype=np.float32))
