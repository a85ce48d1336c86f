"""What tries to refute the chapter on flow matching."""
