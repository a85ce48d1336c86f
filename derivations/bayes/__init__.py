r"""Bayes' rule, and what it says of coins and of Gaussians.

Much of the book is an instance: the reverse kernel of a diffusion is a posterior, its normaliser an evidence, and the
naive inversion a posterior under a flat prior. The pages: ``rule`` for any densities, ``counting`` for coins,
``gaussian`` for noisy observations of one number, ``flat`` for a prior that knows nothing.
"""
