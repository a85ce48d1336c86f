"""What tries to refute the chapter on Bayes' rule."""
