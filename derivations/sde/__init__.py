"""Continuous time: the process as a diffusion, its reversal, and what it says of densities.

Read ``moments`` (mean and variance of a linear diffusion, and the diffusion that has them), ``kernels`` (VP, VE and
sub-VP in closed form), ``fokker_planck`` (how densities change, and what carries them back), ``likelihood`` (the log
density along the flow, and the entropy of all), ``girsanov`` (what a wrong score costs the path, and its end).
"""
