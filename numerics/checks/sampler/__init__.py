"""What tries to refute the chapter on what a step of a sampler is, and what errs."""
