"""What tries to refute the chapter on discrete diffusion."""
