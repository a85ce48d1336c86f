"""Guidance: from a law to that law given a label, and past it.

Read ``classifier`` (the score given a label, from a classifier that knows noise),
``mean_shift`` (what a classifier does to one small Gaussian step),
``free`` (past the law given the label: two predictions, and their difference taken too far),
``commuting`` (tilted and then noised is not noised and then tilted),
``rescaling`` (the spread of the coordinates, and how to take it back).
"""
