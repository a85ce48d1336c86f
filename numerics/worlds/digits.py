"""Real data: the 1,797 handwritten digits that scikit-learn brings along, 8 x 8 = 64 pixels each (Alpaydin 1998)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIDE = 8  # pixels


def digits() -> NDArray[np.float64]:
    """The digits as points, (1797, 64): black ground is -1, full ink is 1, as samplers scale pixels.

    Raises ImportError, with what to type, where scikit-learn is missing.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("the digits come with scikit-learn: pip install 'noiseproof[models]'") from error
    return np.asarray(load_digits().data, dtype=float) / 8 - 1  # ink is counted from 0 to 16
