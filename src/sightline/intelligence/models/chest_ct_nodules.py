"""Lung nodules on chest CT, by image analysis without learned weights; joins by the plug-in door."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.intelligence.models._lesions import propose_lesion
from sightline.intelligence.models._model import Model, ModelCard, write_output
from sightline.science import segmentation, volumes

CARD = ModelCard(
    title="Chest CT nodules (classical)",
    version="1.0.0",
    intended_use="Propose solid lung nodules of 4 to 30 mm on chest CT for a radiologist to decide on.",
    not_for="Screening decisions, ground-glass or part-solid nodules, children, use without a reader.",
    modality="CT",
    method="Lung mask, multi-scale blob filter, shape rejection of vessels, partial-volume volumetry.",
    evidence="Measured on simulated chests and on nodules inserted into real CT; see bench/science.",
    licence="Apache-2.0",
    weights_sha256="none: no learned weights",
)


def run(series: Path, output: Path, parameters: Mapping[str, Any]) -> None:
    """Read a CT series from `series`, find nodules, write the answer to `output`.

    Raises
    ------
    NotAVolume
        If the slices do not form a volume.
    LungsNotFound
        If there are no lungs in it.
    """
    volume = volumes.read_volume(sorted(series.iterdir()))
    lungs = segmentation.segment_lungs(volume)
    found = segmentation.find_nodules(volume, lungs=lungs, **parameters)
    write_output(
        output,
        [propose_lesion(volume, lesion, _why(lesion)) for lesion in found],
        [lesion.mask for lesion in found],
        frame_of_reference_uid=volume.frame_of_reference_uid,
        remarks=volume.notes,
    )


def _why(lesion: segmentation.Lesion) -> str:
    return f"round and denser than lung ({lesion.mean_hu.value:.0f} HU), shape score {lesion.score:.2f}"


model = Model(CARD, run, {"min_diameter_mm": 4.0, "max_diameter_mm": 30.0})
