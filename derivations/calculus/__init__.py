"""The calculus of derivations: what a page of mathematics imports.

Read in this order: ``notation`` (letters and atoms), ``steps`` (following a derivation), ``signs``, ``deciding`` and
``noncommuting`` (exact questions), ``expanding`` (forms to compare), ``equalities``, ``differentiating``,
``inequalities``, ``sums``, ``citing`` (the reasons a page may give), ``meanings`` (densities in the place of others),
``witness`` and ``witness_values`` (numbers, independent of all reasons). ``derivations.rendering`` prints what was
followed and decides nothing.

*What it does not do.*  No measure theory: densities are smooth and positive, and integrals that a page writes down are
assumed to exist.  Limits are exchanged with integrals only where a parameter enters through a Gaussian factor.  SymPy's
polynomial arithmetic, its derivative and its limit are trusted.  A fact used without proof is a named ``definition``
or ``granted`` step with a reference; it is printed with a dagger, and only the witness tries to refute it.
"""

from .citing import granted, rearranging, theorem, using
from .differentiating import by_parts, differentiation, elementary_integral, limit, taylor, under_the_integral
from .equalities import (
    algebra,
    called,
    change_of_variables,
    completing_the_square,
    definition,
    gaussian_integral,
    gaussian_moments,
    independence,
    linearity,
    normalised,
    tower,
)
from .inequalities import jensen, log_tangent, pointwise, positivity
from .notation import (
    KL,
    Cov,
    Density,
    E,
    RealFunction,
    UnitFunction,
    Var,
    covariances,
    d,
    entropy,
    integral,
    matrices,
    naturals,
    nonzeros,
    normal,
    positives,
    quadratic,
    reals,
    units,
    vectors,
)
from .steps import Refuted, Rejected, Undefined, Unproved, check, eq, ge, gt, le, let, lt, tends_to, up_to
from .sums import by_induction, factorials, induction, logarithms, telescope

__all__ = [name for name in dir() if not name.startswith("_")]
