"""Discrete diffusion: chains on finitely many states, and Bayes' rule for them."""
