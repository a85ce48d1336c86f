"""A package with a file, so that a folder called tests which some library installs is not taken for it."""
