"""What tries to refute the chapter on continuous time."""
