r"""Predicting the noise, the data, the score or the velocity: one prediction in four spellings.

Read ``conversions`` (from one to another, and between losses), ``rescaling`` (with the variance preserved or
exploding), ``prediction`` (what a step makes of it, and where the spellings part), ``variance`` (the variance that is
learned beside it).
"""
