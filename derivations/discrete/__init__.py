"""Discrete diffusion: chains on finitely many states, and Bayes' rule for them.

Read ``noising`` (any token anew, or a mask), ``posterior`` (both ends known, or x_0 predicted), ``rates`` (continuous
time, backwards), ``vlb`` (what a step of the bound is with a mask).
"""
