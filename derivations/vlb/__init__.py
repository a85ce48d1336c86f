r"""The loss of diffusion: a bound on the likelihood, taken apart into one regression for each step.

Read ``bound`` (what is bounded, and how it comes apart), ``target`` (why conditioning on x_0 costs nothing),
``weights`` (how each step counts), ``snr`` (what the weights add up to, and what the bound costs at best), ``matching``
(what the regression lands on), ``variance`` (the best variance of a step), ``decoder`` (the last step, to 256 grey
values).
"""
