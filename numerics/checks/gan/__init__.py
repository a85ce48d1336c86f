"""What tries to refute the chapter on adversarial networks."""
