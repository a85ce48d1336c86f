r"""Why the rearranged forward step is not the reverse step.

A step :math:`x_t=\sqrt{\alpha_t}\,x_{t-1}+\sqrt{\beta_t}\,\epsilon_t` defines :math:`q(x_t\mid x_{t-1})`, because
:math:`\epsilon_t` is independent of :math:`x_{t-1}`. Solved for :math:`x_{t-1}` it is still true, but
:math:`\epsilon_t` is not independent of :math:`x_t`: putting fresh noise in its place is Bayes' rule with a flat
prior. The pages follow the argument.  What the naive step does: ``naive``, ``exploded``.  What the reverse step is:
``bayes``, ``posterior``, ``score``, ``denoising``, ``markov``, ``data``.  Where its chain leads: ``chain``,
``anderson``.  How far one is from the other: ``bounds``, ``distance``, ``orders`` (with ``cumulants`` beside it).
"""
