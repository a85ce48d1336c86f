"""Whole chains, compiled by numba: the state of some particles never leaves the nearest cache."""

# What numba compiles has the spelling of Python, and other types:
# pyright: reportCallIssue=false, reportArgumentType=false, reportGeneralTypeIssues=false

from __future__ import annotations

import numpy as np
from numba import float32, int32, uint32, uint64

from .numba_noise import F, U, compiled, four, inlined, number_of, scratch
from .steps import HALF, LOG, NOISE, OF_HELD, OF_P, OF_X, PULL_MEAN, PULL_X, SCALE

TOGETHER = 128  # particles
SMALL = 4  # coordinates that are written out, one after another; beyond five the compiler gives up on vectors

# 2^r for |r| <= 1/2, within 8e-8 of it
E0, E1, E2 = F(1.0000000710296983), F(0.6931469491610631), F(0.24022121753561665)
E3, E4, E5 = F(0.05550742616002606), F(0.00967545974551702), F(0.0013266970386308329)


@inlined
def exp2(x):
    """2^x for x <= 0, and 0 below 2^-100 (and of what is no number): 2^k 2^r for the nearest k."""
    x = x if x > F(-100) else F(-127)  # the k whose bits are those of 0
    k = int32(x - F(0.5))  # what is cut off a negative number rounds it up
    r = x - float32(k)
    p = ((((E5 * r + E4) * r + E3) * r + E2) * r + E1) * r + E0
    return p * number_of(uint32(uint32(k + int32(127)) << U(23)))


@compiled
def fresh(z, first, block, stream, seed):
    """The four normals of a block, for as many particles as z has columns."""
    z0, z1, z2, z3 = z[0], z[1], z[2], z[3]
    for i in range(TOGETHER):
        z0[i], z1[i], z2[i], z3[i] = four(first + uint64(i), block, stream, seed)


@compiled
def small(state, dims, rows, terms, means, seed, stream, first, n, begin, end):
    """The chain of the blocks begin..end of ``state``, (N, d) in place; ``dims`` is a tuple of d zeros.

    ``terms`` are in units of log 2.
    """
    components, d = len(means), len(dims)
    x, mean, held = scratch(d, TOGETHER), scratch(d, TOGETHER), scratch(d, TOGETHER)
    logs, z = scratch(components, TOGETHER), scratch(4, TOGETHER)
    top, mass, pull = scratch(1, TOGETHER)[0], scratch(1, TOGETHER)[0], scratch(1, TOGETHER)[0]
    for block in range(begin, end):
        start = block * TOGETHER
        count = min(TOGETHER, len(state) - start)
        counter = -1
        x[:] = 0
        held[:] = 0
        for i in range(count):
            for j in range(d):
                x[j, i] = state[start + i, j]
        for t in range(len(rows)):
            of_x, of_p, of_held, noise, a = (
                rows[t, OF_X],
                rows[t, OF_P],
                rows[t, OF_HELD],
                rows[t, NOISE],
                rows[t, SCALE],
            )
            top[:], mass[:], pull[:], mean[:] = F(-1e38), F(0), F(0), F(0)
            for k in range(components):
                log, half, line = terms[t, k, LOG], terms[t, k, HALF], logs[k]
                for i in range(TOGETHER):
                    square = F(0)
                    for j in range(d):
                        apart = x[j, i] - a * means[k, j]
                        square += apart * apart
                    line[i] = log + half * square
                    top[i] = max(top[i], line[i])
            for k in range(components):
                of_state, of_mean, line = terms[t, k, PULL_X], terms[t, k, PULL_MEAN], logs[k]
                for i in range(TOGETHER):
                    r = exp2(line[i] - top[i])
                    mass[i] += r
                    pull[i] += r * of_state
                    r = r * of_mean
                    for j in range(d):
                        mean[j, i] += r * means[k, j]
            for i in range(TOGETHER):
                scale = F(1) / mass[i]
                of_state = pull[i] * scale
                for j in range(d):
                    p = of_state * x[j, i] + scale * mean[j, i]
                    x[j, i] = of_x * x[j, i] + of_p * p + of_held * held[j, i]
                    held[j, i] = p
            if noise != F(0):
                for j in range(d):
                    number = n + t * d + j
                    if number // 4 != counter:  # what is left of the last four is used first
                        counter = number // 4
                        fresh(z, first + uint64(start), uint64(counter), stream, seed)
                    here, normals = x[j], z[number % 4]
                    for i in range(TOGETHER):
                        here[i] += noise * normals[i]
        for i in range(count):
            for j in range(d):
                state[start + i, j] = x[j, i]


@compiled
def large(state, rows, terms, means, seed, stream, first, n, begin, end):
    """The same for many coordinates, each loop over particles alone; what there is none of is padded to fours."""
    components, d = means.shape
    wide, many = (d + 3) // 4 * 4, (components + 3) // 4 * 4
    x, held = scratch(wide, TOGETHER), scratch(wide, TOGETHER)
    logs, z = scratch(many, TOGETHER), scratch(4, TOGETHER)
    top, mass = scratch(1, TOGETHER)[0], scratch(1, TOGETHER)[0]
    pull, mean = scratch(1, TOGETHER)[0], scratch(1, TOGETHER)[0]
    centres, there = np.zeros((many, wide), F), np.zeros((many, wide), F)
    centres[:components, :d] = means
    logs[components:] = 0
    for block in range(begin, end):
        start = block * TOGETHER
        count = min(TOGETHER, len(state) - start)
        counter = -1
        x[:] = 0
        held[:] = 0
        for i in range(count):
            for j in range(d):
                x[j, i] = state[start + i, j]
        for t in range(len(rows)):
            of_x, of_p, of_held, noise, a = (
                rows[t, OF_X],
                rows[t, OF_P],
                rows[t, OF_HELD],
                rows[t, NOISE],
                rows[t, SCALE],
            )
            top[:], mass[:], pull[:] = F(-1e38), F(0), F(0)
            for k in range(many):
                for j in range(wide):
                    there[k, j] = a * centres[k, j]
            for k in range(components):
                log, half, line = terms[t, k, LOG], terms[t, k, HALF], logs[k]
                line[:] = 0
                for j in range(0, wide, 4):
                    m0, m1, m2, m3 = there[k, j], there[k, j + 1], there[k, j + 2], there[k, j + 3]
                    for i in range(TOGETHER):
                        e0, e1, e2, e3 = x[j, i] - m0, x[j + 1, i] - m1, x[j + 2, i] - m2, x[j + 3, i] - m3
                        line[i] += e0 * e0 + e1 * e1 + e2 * e2 + e3 * e3
                for i in range(TOGETHER):
                    line[i] = log + half * line[i]
                    top[i] = max(top[i], line[i])
            for k in range(components):
                of_state, of_mean, line = terms[t, k, PULL_X], terms[t, k, PULL_MEAN], logs[k]
                for i in range(TOGETHER):
                    r = exp2(line[i] - top[i])
                    mass[i] += r
                    pull[i] += r * of_state
                    line[i] = r * of_mean
            for i in range(TOGETHER):
                mass[i] = F(1) / mass[i]
                pull[i] *= mass[i]
            for j in range(d):
                mean[:] = 0
                for k in range(0, many, 4):
                    m0, m1, m2, m3 = centres[k, j], centres[k + 1, j], centres[k + 2, j], centres[k + 3, j]
                    for i in range(TOGETHER):
                        mean[i] += logs[k, i] * m0 + logs[k + 1, i] * m1 + logs[k + 2, i] * m2 + logs[k + 3, i] * m3
                here, before = x[j], held[j]
                for i in range(TOGETHER):
                    p = pull[i] * here[i] + mass[i] * mean[i]
                    here[i] = of_x * here[i] + of_p * p + of_held * before[i]
                    before[i] = p
            if noise != F(0):
                for j in range(d):
                    number = n + t * d + j
                    if number // 4 != counter:  # what is left of the last four is used first
                        counter = number // 4
                        fresh(z, first + uint64(start), uint64(counter), stream, seed)
                    here, normals = x[j], z[number % 4]
                    for i in range(TOGETHER):
                        here[i] += noise * normals[i]
        for i in range(count):
            for j in range(d):
                state[start + i, j] = x[j, i]
