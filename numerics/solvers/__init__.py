"""Reverse steps: each is a row of coefficients, and an affine map that every row shares."""
