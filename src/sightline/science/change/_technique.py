"""How an image was taken, from its header, and whether two were taken alike."""

import re

from pydicom import Dataset
from pydicom.multival import MultiValue

from sightline.science.change._map_model import (
    ContrastDiffers,
    ModalityDiffers,
    Technique,
    WeightingDiffers,
)
from sightline.science.volumes import Volume

_PHASES = {
    "arterial": r"arteri|\bart\b|hepatic art|\bcta\b",
    "portal": r"portal|venous|\bpv\b|\bpvp\b|parenchym|nephrogra",
    "late": r"delay|\blate\b|equilib|excret|\bspät",
    "none": r"without|w/o|\bwo\b|non[ -]?con|unenhanced|nativ|plain|pre[ -]?contrast",
}
CONTRAST = "contrast"
_UNIT_MODALITY = {"HU": "CT", "GML": "PT", "g/ml": "PT", "1": "MR"}
_ALIKE = frozenset({frozenset({"given", phase}) for phase in ("arterial", "portal", "late")})


def technique_of(ds: Dataset) -> Technique:
    """Return how an image was taken, as far as its header says.

    >>> ds = Dataset()
    >>> ds.Modality, ds.SeriesDescription, ds.EchoTime, ds.RepetitionTime = "MR", "t2 tra", 98.0, 4000.0
    >>> technique_of(ds)
    Technique(modality='MR', contrast='none', weighting='T2')
    """
    modality = str(ds.get("Modality") or "")
    return Technique(modality, _contrast(ds, modality), _weighting(ds) if modality == "MR" else "")


def protocol_differences(current: Dataset, prior: Dataset) -> tuple[str, ...]:
    """Return in what two scans, each given by the header of an image, were taken differently.

    Scanner (manufacturer and model), kernel and contrast are told apart; what one of them does not say is
    taken as alike.

    Examples
    --------
    >>> now, then = Dataset(), Dataset()
    >>> now.ConvolutionKernel, then.ConvolutionKernel = "LUNG", "STANDARD"
    >>> now.ManufacturerModelName = "Revolution"
    >>> protocol_differences(now, then)
    ('kernel',)
    """
    seen = {
        "scanner": [_text(ds, "Manufacturer", "ManufacturerModelName") for ds in (current, prior)],
        "kernel": [_text(ds, "ConvolutionKernel") for ds in (current, prior)],
    }
    differing = [name for name, (now, then) in seen.items() if now and then and now != then]
    phases = frozenset(technique_of(ds).contrast for ds in (current, prior)) - {""}
    if len(phases) > 1 and phases not in _ALIKE:
        differing.append(CONTRAST)
    return tuple(differing)


def _text(ds: Dataset, *names: str) -> str:
    """Return what the header says under some names, empty unless it says all."""
    values = [ds.get(name) for name in names]
    if not all(values):
        return ""
    texts = ["\\".join(map(str, v)) if isinstance(v, MultiValue) else str(v) for v in values]
    return " ".join(" ".join(texts).casefold().split())


def _contrast(ds: Dataset, modality: str) -> str:
    if modality not in {"CT", "MR"}:
        return ""
    agent = str(ds.get("ContrastBolusAgent") or "").strip()
    given = bool(agent) and agent.casefold() not in {"none", "no", "n/a"}
    words = " ".join(str(ds.get(name) or "") for name in ("SeriesDescription", "ProtocolName")).casefold()
    for phase, pattern in _PHASES.items():
        if re.search(pattern, words) and (phase == "none") != given:
            return phase
    return "given" if given else "none"


def _weighting(ds: Dataset) -> str:
    """Return the weighting by echo, repetition and inversion time (ms); empty where they do not say."""
    if ds.get("DiffusionBValue") or re.search(
        r"dwi|adc|diff", str(ds.get("SeriesDescription") or "").lower()
    ):
        return "DWI"
    echo, repetition, inversion = (
        float(ds.get(name) or 0) for name in ("EchoTime", "RepetitionTime", "InversionTime")
    )
    if not echo or not repetition:
        return ""
    if inversion > 1400 and echo > 60:
        return "FLAIR"
    if echo > 60:
        return "T2"
    return "T1" if echo < 30 and (repetition < 1200 or inversion) else "other"


def technique_from_unit(volume: Volume) -> Technique:
    """Return what the unit of a volume tells."""
    return Technique(_UNIT_MODALITY.get(volume.unit, ""))


def require_alike(current: Technique, prior: Technique) -> tuple[str, ...]:
    """Refuse scans whose values cannot be compared; return what could not be known.

    Raises
    ------
    ModalityDiffers, ContrastDiffers, WeightingDiffers
        If both say so, or the modality has no values to compare.
    """
    if current.modality != prior.modality:
        raise ModalityDiffers(
            f"The current scan is {current.modality or 'of no known kind'}, the prior "
            f"{prior.modality or 'of no known kind'}; choose a prior of the same modality."
        )
    if current.modality not in {"CT", "MR", "PT"}:
        raise ModalityDiffers(
            "Maps of change are made of CT, of MR, and of PET in SUV; choose such a series."
        )
    phases = {current.contrast, prior.contrast} - {""}
    if len(phases) > 1 and frozenset(phases) not in _ALIKE:
        raise ContrastDiffers(
            f"Contrast differs: {current.contrast} now, {prior.contrast} then. "
            "Compare sizes, or choose a prior of the same phase."
        )
    weights = {current.weighting, prior.weighting} - {""}
    if len(weights) > 1:
        raise WeightingDiffers(
            f"The series are {current.weighting} now and {prior.weighting} then; choose series of one kind."
        )
    unsaid = []
    if current.modality in {"CT", "MR"} and not (current.contrast and prior.contrast):
        unsaid.append("Whether contrast was given is not known of both scans.")
    if current.modality == "MR" and not (current.weighting and prior.weighting):
        unsaid.append("The weighting is not known of both scans.")
    return tuple(unsaid)
