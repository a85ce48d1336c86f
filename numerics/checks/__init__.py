"""What tries to refute each claim: a chapter each, and a function each, named as in ``derivations``.

A check is a plain generator. Its keyword arguments are the formulas under test and it knows none of its own: it
integrates or simulates the definitions, and yields atoms that compare.
"""
