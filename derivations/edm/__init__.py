"""The design space of Karras et al.: noise levels in the place of times.

Read ``denoiser`` (the score from the best denoiser, and the best denoiser of a data set), ``preconditioning`` (inputs
and targets of unit size, and how errors count), ``equations`` (the flow at any scale, and with any amount of noise).
"""
