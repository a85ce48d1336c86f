"""What tries to refute the chapter on the ELBO."""
