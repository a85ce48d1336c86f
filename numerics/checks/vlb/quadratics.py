r"""The moments of what is averaged: of a quadratic polynomial of standard normals, and of anything by quadrature.

The cumulants of :math:`Q(z)=c+b^\top z+z^\top Az` are
:math:`\kappa_n=2^{n-1}(n-1)!\operatorname{tr}A^n+n!\,2^{n-3}\,b^\top A^{n-2}b` for n of two and more.
"""

import numpy as np

from ...quadrature import settled


def moments_of_quadratic(polynomial, dimension):
    """Its mean, its second and its fourth central moment; the polynomial maps (points, dimension) to (points,)."""
    return moments_of_mixture([1.0], [polynomial], dimension)


def moments_of_mixture(weights, polynomials, dimension):
    """The same if one of several polynomials is drawn first."""
    means, second, third, fourth = np.transpose([central_moments(p, dimension) for p in polynomials])
    mean = weights @ means
    d = means - mean
    far = fourth + 4 * d * third + 6 * d**2 * second + d**4
    return mean, weights @ (second + d**2), weights @ far


def central_moments(polynomial, dimension):
    axes = np.eye(dimension)
    i, j = np.triu_indices(dimension, 1)
    c, up, down = polynomial(np.zeros((1, dimension)))[0], polynomial(axes), polynomial(-axes)
    a, b = np.diag((up + down) / 2 - c), (up - down) / 2
    if len(i):
        a[i, j] = a[j, i] = (polynomial(axes[i] + axes[j]) - up[i] - up[j] + c) / 2
    second, third = 2 * np.trace(a @ a) + b @ b, 8 * np.trace(a @ a @ a) + 6 * b @ a @ b
    fourth = 48 * np.trace(a @ a @ a @ a) + 48 * b @ a @ a @ b
    return c + np.trace(a), second, third, fourth + 3 * second**2


def moments_by_quadrature(power):
    """The second and the fourth central moment of what has the rule ``power(k)`` for the mean of its k-th power."""
    first, second, third, fourth = (settled(power(k), 1e-12) for k in range(1, 5))
    return second - first**2, fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
