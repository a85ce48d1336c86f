"""The design space of Karras et al.: noise levels in the place of times."""
