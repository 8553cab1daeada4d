"""From what a model wrote to what the record keeps: findings, outlines and masks."""

import io
from collections.abc import Sequence

import numpy as np

from sightline.intelligence import models
from sightline.record import findings
from sightline.runtime.blobs import Blobs


def found_from(
    output: models.ModelOutput, series_uid: str, mask_keys: Sequence[str | None]
) -> list[findings.Found]:
    """Return a model's lesions as findings to be proposed."""
    return [
        findings.Found(
            kind=lesion.kind,
            label=lesion.label,
            series_uid=series_uid,
            sop_uid=lesion.sop_uid,
            frame_of_reference_uid=output.frame_of_reference_uid,
            centre_lps_mm=lesion.centre_lps_mm,
            values=dict(lesion.values),
            outline=findings.Outline(lesion.outline, lesion.long_axis_lps_mm, lesion.short_axis_lps_mm),
            why=lesion.why,
            laterality=lesion.laterality,
            score=lesion.score,
            mask_key=key,
        )
        for lesion, key in zip(output.lesions, mask_keys, strict=True)
    ]


def store_masks(blobs: Blobs, run: str, output: models.ModelOutput) -> list[str | None]:
    """Keep each mask with the place of its box; return its key, or None for a lesion without a mask."""
    keys: list[str | None] = []
    for index, (lesion, mask) in enumerate(zip(output.lesions, output.masks, strict=True)):
        if mask is None or lesion.offset_zyx is None:
            keys.append(None)
            continue
        file = io.BytesIO()
        np.savez_compressed(file, mask=mask, offset_zyx=np.array(lesion.offset_zyx))
        key = f"masks/{run}/{index}.npz"
        blobs.put_if_absent(key, file.getvalue())
        keys.append(key)
    return keys
