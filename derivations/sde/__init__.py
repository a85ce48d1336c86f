"""Continuous time: the process as a diffusion, its reversal, and what it says of densities."""
