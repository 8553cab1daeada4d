"""Short ways to write an observation."""

from sightline.science.response._model import HU, Measurement, Observation, QuantityName

ABSENT = Observation("absent")
"""The lesion is not there any more."""

TOO_SMALL = Observation("too-small")
"""The lesion is there and too small to measure."""

PRESENT = Observation("present")
"""The lesion is there and was not measured."""

PROGRESSED = Observation("progressed")
"""A non-target lesion has progressed unequivocally."""

NOT_ASSESSABLE = Observation("not-assessable")
"""The lesion was not imaged, or not well enough."""


def measured(
    *,
    long_axis_mm: float | None = None,
    short_axis_mm: float | None = None,
    viable_mm: float | None = None,
    volume_mm3: float | None = None,
    sul_peak: float | None = None,
    tlg_g: float | None = None,
    density_hu: float | None = None,
    new_nodule: bool = False,
) -> Observation:
    """Return an observation of a measured lesion, with as many quantities as were measured.

    Parameters
    ----------
    long_axis_mm, short_axis_mm, viable_mm : mm
        Longest diameter, the one perpendicular to it, the longest of the arterially enhancing part.
    volume_mm3 : mm3
    sul_peak : g/ml
        Peak uptake normalised by lean body mass, mean of a sphere of 1 cm3.
    tlg_g : g
        Total lesion glycolysis: metabolic volume times mean uptake.
    density_hu : HU

    Examples
    --------
    >>> measured(long_axis_mm=21, short_axis_mm=14).measurement("short-axis").value
    14
    """
    values: tuple[tuple[QuantityName, float | None, str], ...] = (
        ("long-axis", long_axis_mm, "mm"),
        ("short-axis", short_axis_mm, "mm"),
        ("viable-long-axis", viable_mm, "mm"),
        ("volume", volume_mm3, "mm3"),
        ("sul-peak", sul_peak, "g/ml"),
        ("tlg", tlg_g, "g"),
        ("density", density_hu, HU),
    )
    found = tuple(Measurement(name, value, unit) for name, value, unit in values if value is not None)
    return Observation("measured", found, new_nodule=new_nodule)
