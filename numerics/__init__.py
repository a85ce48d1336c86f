"""Is it so in numbers?

Nothing here knows why a formula should hold.  A check is handed the formula and tries to refute it: it integrates
definitions, simulates the forward process, searches for a counterexample.  Read in this order: ``schedules`` (how much
noise each step adds), ``worlds`` (data for which everything is known exactly), ``quadrature`` (integrals of
definitions), ``checks`` (what tries to refute each claim, named as in ``derivations``), ``statistics`` (how a check
decides), ``compiled``, the only place where the formulas of ``derivations`` become functions, and ``solvers``, whose
tables are made of them.
"""
