"""From values to greys."""

import numpy as np
import numpy.typing as npt

from sightline.science.rendering._model import BadView


def apply_window(
    values: npt.NDArray[np.floating], centre: float, width: float, *, exact: bool = False
) -> npt.NDArray[np.uint8]:
    """Return greys from 0 to 255 by a linear window; what is no number is black.

    `exact` is for values that are no whole numbers, such as uptake: the window may then be narrower than 1.

    Raises
    ------
    BadView
        If the width is below 1 (or not positive), or a number is not finite.

    References
    ----------
    PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.2 (LINEAR_EXACT).

    Examples
    --------
    >>> apply_window(np.array([-160.5, 39.5, 239.5]), 40, 400).tolist()
    [0, 127, 255]
    """
    if not (np.isfinite([centre, width]).all() and (width >= 1 or (exact and width > 0))):
        raise BadView("A window needs a finite centre, and a width of at least 1.")
    if exact:
        scaled = ((values - centre) / width + 0.5) * 255
    else:
        scaled = ((values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5) * 255
    return np.asarray(np.nan_to_num(np.clip(scaled, 0, 255)).astype(np.uint8))
