"""Does somebody's sampler have the properties that it claims?

The process in which a target runs imports this package, too: what judges is imported from its modules.
"""
