"""Discrete diffusion: chains on finitely many states, and Bayes' rule for them.

Read ``noising`` (any token anew, or a mask).
"""
