"""What tries to refute the page on the dynamics: eigenvalues of players' steps in games with some f.

Jacobians are taken at the equilibrium by complex steps: F(ih) is ih F'(0), and with h = 1e-30 nothing else is left.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy import array, exp

from ...statistics import for_all, matches

H = 1e-30


@dataclass(frozen=True)
class Game:
    """L(theta, psi) = f(theta psi) + f(0), by the slope of f."""

    slope: Callable

    @property
    def c(self):
        return self.slope(0.0)

    def descended(self, theta, psi):
        """By the generator."""
        return -psi * self.slope(theta * psi)

    def ascended(self, theta, psi):
        """By the discriminator."""
        return theta * self.slope(theta * psi)

    def field(self, theta, psi):
        return self.descended(theta, psi), self.ascended(theta, psi)

    def at_once(self, h):
        return lambda theta, psi: (theta + h * self.descended(theta, psi), psi + h * self.ascended(theta, psi))

    def in_turn(self, h):
        def step(theta, psi):
            theta = theta + h * self.descended(theta, psi)
            return theta, psi + h * self.ascended(theta, psi)

        return step


def logistic(size, bias):
    """f(u) = -size log(1 + exp(-u - bias))."""
    return Game(lambda u: size / (1 + exp(u + bias)))


def square(size, target):
    """f(u) = -size (u - target)^2 / 2."""
    return Game(lambda u: size * (target - u))


GAMES = [(logistic(1.37, 0.41), 0.83), (square(0.79, -1.61), 0.57), (Game(lambda u: 0.43 + 0 * u), 2.19)]
sizes, biases, signed = st.floats(0.2, 3), st.floats(-2, 2), st.sampled_from([-1.0, 1.0])
games = st.builds(lambda size, bias, sign: logistic(sign * size, bias), sizes, biases, signed)
turns = st.floats(0.05, 1.9)  # h |c|


def dirac_dynamics(growth, frequency, simultaneous, alternating):
    """The eigenvalues of the field, and the moduli of those of a step, at once and in turn."""

    def speed(**at):
        return abs(frequency(**at))

    def of_the_field(game):
        values, size = np.linalg.eigvals(jacobian(game.field)), abs(game.c)
        yield matches(growth, {"c": game.c}, np.real(values), magnitude=size)
        yield matches(speed, {"c": game.c}, np.abs(np.imag(values)), magnitude=size)

    def of_a_step(game, h):
        for formula, step in ((simultaneous, game.at_once(h)), (alternating, game.in_turn(h))):
            matrix = jacobian(step)
            yield matches(formula, {"c": game.c, "h": h}, np.abs(np.linalg.eigvals(matrix)), np.linalg.norm(matrix))

    for game, h in GAMES:
        yield from of_the_field(game)
        yield from of_a_step(game, h)
    for k in range(2):
        yield for_all(game=games)(lambda game, k=k: list(of_the_field(game))[k])
        yield for_all(game=games, turn=turns)(lambda game, turn, k=k: list(of_a_step(game, turn / abs(game.c)))[k])


def jacobian(step):
    """The derivatives of a map of the plane at (0, 0), which it leaves where it is."""
    columns = step(1j * H, 0.0), step(0.0, 1j * H)
    return array([[np.imag(value) / H for value in column] for column in columns]).T
