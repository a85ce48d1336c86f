r"""Variational inference: a bound on the evidence, and what is lost by it.

Whatever density q one puts in the place of the posterior, :math:`\mathcal L(q)` stays below :math:`\log p(x)`, by the
divergence of q from the posterior. Read ``inequalities`` (why divergences are not negative), ``bound`` (for any
densities), ``likelihood`` (what is minimised, on average over data), ``gaussian`` (where all of it is arithmetic),
``factorised`` (independent coordinates in the place of correlated ones), ``importance`` (more draws, less loss).
"""
