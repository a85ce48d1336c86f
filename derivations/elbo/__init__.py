r"""Variational inference: a bound on the evidence, and what is lost by it.

Whatever density q one puts in the place of the posterior, :math:`\mathcal L(q)` stays below :math:`\log p(x)`, by the
divergence of q from the posterior. Read ``bound`` (for any densities), ``gaussian`` (where all of it is arithmetic),
``factorised`` (independent coordinates in the place of correlated ones), ``importance`` (more draws, less loss).
"""
