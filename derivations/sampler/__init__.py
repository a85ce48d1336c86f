"""Samplers: from noise to data in so many steps, each an affine map of what is at hand.

Read ``ddpm`` (a jump from t to s, and the variance that it is short of), ``ddim`` (any part of the noise kept, and the
rest drawn afresh), ``gaussian`` (where the flow leads for Gaussian data, and how far DDIM stays behind it),
``consistency`` (to the end of the flow in one step), ``multistep`` (the flow as an integral of predictions, and what
continues them), ``stochastic`` (the same for the reverse diffusion), ``orders`` (what one step misses, and all of
them), ``schedules`` (the levels that steps go through), ``ancestral`` (a step where noise is only added), ``langevin``
(steps along the score: how far from their law they settle).
"""
