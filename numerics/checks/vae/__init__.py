"""What tries to refute the chapter on variational autoencoders."""
