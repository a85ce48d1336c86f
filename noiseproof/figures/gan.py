"""Adversarial networks: the best discriminator beside a trained one, and two players who go round their equilibrium."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from numerics.compiled import formulas

from ..choosing import claim
from .drawing import BRIGHT, DARK, GREY, PALE, WIDE, Drawing, label, table, training

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

Array = np.ndarray


# ---------------------------------------------------------------- the best discriminator


class Answers(NamedTuple):
    """Two densities, the best discriminator between them and a trained one, and the logits of both."""

    x: Array
    data: Array
    generator: Array
    best: Array
    log_ratio: Array
    trained: Array
    trained_logit: Array


def optimal_discriminator() -> Drawing:
    """The best discriminator, exact and trained, and below it the log ratio and the logit."""
    from models.classifier import train
    from models.gan import UPDATES, examples
    from numerics.statistics import stream

    draws = stream(0, "gan.optimal-discriminator", "figure", 0)
    with training("discriminator") as progress:
        network = train(examples(0.5), 2, draws, columns=5, updates=UPDATES, progress=progress)
    found = answers(network.predict)
    return Drawing(figure_of_answers(found), numbers_of_answers(found))


def answers(predict: Callable[[Array], Array]) -> Answers:
    """What the formulas say, and what this says of the probabilities of being generated and of being real, (n, 2)."""
    from models.gan import DATA, GENERATED

    x = np.linspace(-4, 4.5, 341)
    at = {"x": x, "data": DATA, "generator": GENERATED}
    best = formulas(claim("gan.optimal-discriminator"))["best"](**at)
    log_ratio = formulas(claim("gan.logit-is-log-ratio"))["logit"](**at)
    generated, real = predict(x).T
    return Answers(x, DATA(x), GENERATED(x), best, log_ratio, real, np.log(real) - np.log(generated))


def figure_of_answers(found: Answers) -> Figure:
    """Answers above, logits below."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(WIDE, 5), layout="constrained")
    answers, logits = picture.subplots(2, 1, sharex=True, height_ratios=(1.3, 1))
    for density, colour in ((found.generator, GREY), (found.data, DARK)):
        answers.fill_between(found.x, density, color=colour, alpha=0.15, lw=0)
        answers.plot(found.x, density, color=colour, lw=0.8)
    dots = {"ls": "", "marker": "o", "ms": 4, "mfc": "white", "color": BRIGHT, "markevery": 8}
    for axes, exact, trained in ((answers, found.best, found.trained), (logits, found.log_ratio, found.trained_logit)):
        axes.plot(found.x, exact, color="black", lw=1.4)
        axes.plot(found.x, trained, **dots)
    answers.set(ylim=(0, 0.8), xlim=(found.x[0], found.x[-1]))
    answers.set_title("discriminator, and the densities it tells apart", loc="left")
    label(answers, 1.4, 0.475, "p, data", DARK, ha="center")
    label(answers, 2.98, 0.085, "g, generated", GREY)
    label(answers, -1.41, 0.67, "p/(p + g)", ha="center")
    label(answers, 4.45, 0.195, "trained: few\nexamples here", BRIGHT, ha="right")
    logits.axhline(0, color=PALE, lw=0.8, zorder=0)
    logits.set(xlabel="x", ylim=(-5, 2))
    logits.set_title("its logit", loc="left")
    label(logits, 1.08, 1.25, "log p − log g", ha="center")
    label(logits, -3.9, -2.6, "trained", BRIGHT)
    return picture


def numbers_of_answers(found: Answers) -> RenderableType:
    """At some points."""
    rows = []
    for at in (-3, -2, -1, 0, 1, 2, 3):
        n = int(np.argmin(np.abs(found.x - at)))
        each = (found.x, found.data, found.generator, found.best, found.trained, found.log_ratio, found.trained_logit)
        rows.append([f"{part[n]:.3f}" for part in each])
    note = "Trained by cross-entropy on as many real as generated examples; it is told no density."
    return table(["x", "p", "g", "p/(p+g)", "trained", "log p/g", "trained\nlogit"], rows, note)


# ---------------------------------------------------------------- the smallest game


START, STEP, STEPS = 0.01, 0.8, 20  # near the equilibrium; a bit more than one time round
SOME_STEPS = 0.1, 0.4, STEP, 1.6


class Game(NamedTuple):
    """What a step does to the two players, by the formulas and by their orbits, which start at (START, 0)."""

    growth: float
    frequency: float
    moduli: Array  # a row for each size of steps: at once and its orbit's, in turn and its orbit's
    at_once: Array  # (STEPS + 1, 2), of the generator and the discriminator, in units of START
    in_turn: Array

    def flow(self, time: Array) -> Array:
        """Where the players are that follow their slopes smoothly."""
        turned = np.cos(self.frequency * time), np.sin(self.frequency * time)
        return np.exp(self.growth * time)[:, None] * np.stack(turned, axis=-1)


def dirac_dynamics() -> Drawing:
    """The orbits of two players: steps at once, steps in turn, and no steps but a flow."""
    from models.dirac import orbit, slope, turns

    known, start = formulas(claim("gan.dirac-dynamics")), np.array([START, 0.0])
    moduli = []
    for h in SOME_STEPS:
        row = []
        for name, in_turn in (("simultaneous", False), ("alternating", True)):
            path = orbit(START * np.array([1e-3, 0]), h, 12, in_turn)  # where the game is bilinear
            row += [float(known[name](c=slope(), h=h)), float(np.abs(turns(path)).max())]
        moduli.append(row)
    growth, frequency = (float(known[name](c=slope())) for name in ("growth", "frequency"))
    at_once, in_turn = (orbit(start, STEP, STEPS, in_turn) / START for in_turn in (False, True))
    game = Game(growth, frequency, np.array(moduli), at_once, in_turn)
    return Drawing(figure_of_the_game(game), numbers_of_the_game(game))


def figure_of_the_game(game: Game) -> Figure:
    """On the left where the players go, on the right how far from the equilibrium they are."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(WIDE, 3.3), layout="constrained")
    plane, distance = picture.subplots(1, 2)
    time = STEP * np.arange(STEPS + 1)
    smooth = np.linspace(0, time[-1], 301)
    paths = (
        (smooth, game.flow(smooth), {"color": "black", "lw": 1}),
        (time, game.in_turn, {"color": BRIGHT, "lw": 0.6, "marker": "o", "ms": 3.5, "mfc": "white"}),
        (time, game.at_once, {"color": DARK, "lw": 0.6, "marker": "o", "ms": 3.5}),
    )
    for when, path, how in paths:
        plane.plot(*path.T, **how)
        distance.plot(when, np.hypot(*path.T), **how)
    plane.plot(0, 0, "+", color="black", ms=7)
    plane.set(aspect="equal", xlabel="θ, generator", ylabel="ψ, discriminator")
    plane.set_title(f"steps of h = {STEP} around (0, 0)", loc="left")
    label(plane, game.at_once[-1, 0] - 0.3, game.at_once[-1, 1], "at once", DARK, ha="right")
    at_once, _, in_turn, _ = game.moduli[SOME_STEPS.index(STEP)]
    distance.set(xlabel="time: steps done, times h", yscale="log", ylim=(0.55, None))
    distance.set_yticks([1, 2, 4], ["1", "2", "4"])
    distance.minorticks_off()
    distance.set_title("distance from the equilibrium (start: 1)", loc="left")
    label(distance, 0.3, 3.2, f"at once: outwards,\n× {at_once:.4g} a step", DARK)
    label(distance, time[-1], 1.48, f"in turn: an ellipse,\nmodulus {in_turn:g}", BRIGHT, ha="right")
    label(distance, time[-1], 0.66, "no steps but a flow: a circle", ha="right")
    return picture


def numbers_of_the_game(game: Game) -> RenderableType:
    """The moduli, by the formulas and measured on the orbits."""
    rows = [[f"{h:g}", *(f"{modulus:.6f}" for modulus in row)] for h, row in zip(SOME_STEPS, game.moduli)]
    heads = ["step h", "modulus,\nat once", "on the\norbit", "modulus,\nin turn", "on the\norbit"]
    flow = f"The flow has the eigenvalues {game.growth:g} ± {game.frequency:g}i: it stays on its circle."
    return table(
        heads, rows, flow, f"In the figure the players start at (1, 0), in units of {START}: near the equilibrium."
    )
