"""What tries to refute the chapter on EDM."""
