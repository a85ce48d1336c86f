"""Samplers: from noise to data in so many steps, each an affine map of what is at hand."""
