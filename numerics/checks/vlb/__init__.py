"""What tries to refute the chapter on the bound of diffusion."""
