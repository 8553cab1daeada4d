"""From activity to standardised uptake."""

import math

from sightline.kernel.errors import Invalid


class UnknownActivity(Invalid):
    """Dose, half-life, weight or times are not known or cannot be right; measure in Bq/ml."""


def suv_factor(*, injected_bq: float, elapsed_s: float, half_life_s: float, weight_kg: float) -> float:
    r"""Return by what to multiply Bq/ml to get the body-weight standardised uptake value, g/ml.

    .. math:: f = w \,/\, (D \, 2^{-t/T_{1/2}})

    Parameters
    ----------
    injected_bq : Bq
        (0018,1074) *Radionuclide Total Dose*.
    elapsed_s : s
        From injection to the moment that (0054,1102) *Decay Correction* corrects to.
    half_life_s : s
        (0018,1075) *Radionuclide Half Life*.
    weight_kg : kg
        (0010,1030) *Patient's Weight*.

    References
    ----------
    PS3.3 C.8.9.1, C.8.9.2. QIBA SUV vendor-neutral pseudo-code.

    Examples
    --------
    >>> suv_factor(injected_bq=350e6, elapsed_s=0, half_life_s=6586.2, weight_kg=70) * 5_000
    1.0
    """
    if not all(math.isfinite(v) and v > 0 for v in (injected_bq, half_life_s, weight_kg)):
        raise UnknownActivity("Dose, half-life and weight must be positive.")
    if not 0 <= elapsed_s < 100 * half_life_s:
        raise UnknownActivity("The scan does not follow the injection.")
    remaining_bq = injected_bq * math.exp(-math.log(2) * elapsed_s / half_life_s)
    return weight_kg * 1000 / remaining_bq
