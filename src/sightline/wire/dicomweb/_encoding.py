"""Pictures as bytes: JPEG, PNG, GIF, JPEG 2000 (PS3.18 table 8.7.4-1)."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

JPEG, PNG, GIF, JP2 = "image/jpeg", "image/png", "image/gif", "image/jp2"
PICTURES = (JPEG, PNG, GIF, JP2)


def encode_picture(
    image: NDArray[np.uint8], *, kind: str, quality: int = 90, profile: bytes | None = None
) -> bytes:
    """Return a picture, grey or RGB, as bytes of a media type; `quality` is for JPEG, from 1 to 100."""
    import imagecodecs

    image = np.ascontiguousarray(image)
    if kind == GIF or profile is not None:
        return _by_pillow(image, kind, quality, profile)
    if kind == PNG:
        return bytes(imagecodecs.png_encode(image, level=3))
    if kind == JP2:
        return bytes(imagecodecs.jpeg2k_encode(image, codecformat="jp2", reversible=True, level=0))
    return bytes(imagecodecs.jpeg8_encode(image, level=quality))


def _by_pillow(image: NDArray[np.uint8], kind: str, quality: int, profile: bytes | None) -> bytes:
    from PIL import Image

    buffer = BytesIO()
    name = {GIF: "GIF", PNG: "PNG", JP2: "JPEG2000"}.get(kind, "JPEG")
    options: dict[str, Any] = {"quality": quality} if name == "JPEG" else {}
    if profile is not None and name != "GIF":
        options["icc_profile"] = profile
    Image.fromarray(image).save(buffer, name, **options)
    return buffer.getvalue()


def encode_animation(frames: Sequence[NDArray[np.uint8]], frame_ms: float) -> bytes:
    """Return frames as an animated GIF that begins again for ever."""
    from PIL import Image

    first, *rest = (Image.fromarray(np.ascontiguousarray(frame)) for frame in frames)
    buffer = BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=rest, duration=max(round(frame_ms), 20), loop=0)
    return buffer.getvalue()


def icc_profile_of(header: Dataset, wanted: str) -> bytes | None:
    """Return the colour profile to put into a picture: the object's own, or sRGB; None for none."""
    if wanted == "no":
        return None
    if wanted == "yes":
        paths = header.get("OpticalPathSequence") or [header]
        own = paths[0].get("ICCProfile") or header.get("ICCProfile")
        if own:
            return bytes(own)
    from PIL import ImageCms

    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
