"""From a lesion that science measured to the form in which a model proposes it."""

import numpy as np
from numpy.typing import NDArray

from sightline.intelligence.models._model import Point, ProposedLesion
from sightline.science import segmentation, volumes


def propose_lesion(volume: volumes.Volume, lesion: segmentation.Lesion, why: str) -> ProposedLesion:
    """Return a measured lesion with its outline by slice; the mask travels beside it."""
    slices = tuple(
        (volume.sop_uid_at(z), float(polygons[0][0, 2]), tuple(_polygon(points) for points in polygons))
        for z, polygons in segmentation.outline(lesion.mask, lesion.offset_zyx, volume.grid)
    )
    return ProposedLesion(
        kind="lung-nodule",
        label=f"{lesion.location}, nodule",
        sop_uid=volume.sop_uid_at(lesion.axis_slice),
        centre_lps_mm=lesion.centre_lps_mm,
        values={
            "volume": lesion.volume,
            "long_axis": lesion.long_axis,
            "short_axis": lesion.short_axis,
            "mean_hu": lesion.mean_hu,
        },
        why=why,
        laterality=lesion.side,
        score=lesion.score,
        long_axis_lps_mm=lesion.long_axis_lps_mm,
        short_axis_lps_mm=lesion.short_axis_lps_mm,
        outline=slices,
        offset_zyx=lesion.offset_zyx,
    )


def _polygon(points: NDArray[np.float64]) -> tuple[Point, ...]:
    return tuple((round(x, 2), round(y, 2), round(z, 2)) for x, y, z in points.tolist())
