"""What a change map holds, what must be known of the two scans, and why a map is refused."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from sightline.kernel.errors import Invalid
from sightline.kernel.quantities import Quantity
from sightline.science.geometry import Grid

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Sign = Literal["increase", "decrease"]


class NoChangeMap(Invalid):
    """No map of change is made of these two scans; the subclass and message say why."""


class AlignmentNotTrusted(NoChangeMap):
    """The two scans could not be aligned; compare them by slice position and by eye."""


class ModalityDiffers(NoChangeMap):
    """The two scans are of different modality or unit; choose a prior of the same kind."""


class ContrastDiffers(NoChangeMap):
    """Contrast agent or phase differ; compare sizes, or choose a prior of the same phase."""


class WeightingDiffers(NoChangeMap):
    """The two MR series are weighted differently; choose series of the same kind."""


class TooLittleShared(NoChangeMap):
    """The two scans hardly show the same place; choose a prior of the same region."""


class UnusableRegion(NoChangeMap):
    """The region to compare is not on the grid of the current scan, or is empty; give another."""


@dataclass(frozen=True, slots=True)
class Technique:
    """How a volume was taken, as far as its values depend on it; empty is *not said*.

    Attributes
    ----------
    modality
        ``CT``, ``MR`` or ``PT``.
    contrast
        ``none``, ``given``, or the phase: ``arterial``, ``portal``, ``late``.
    weighting
        Of MR: ``T1``, ``T2``, ``FLAIR``, ``DWI``.
    """

    modality: str = ""
    contrast: str = ""
    weighting: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Voxels that belong together and changed beyond noise.

    Attributes
    ----------
    label
        Its number in `ChangeMap.labels`.
    volume
        Of the voxels beyond the threshold, mm3: how much is significant, not how large a lesion is.
    difference
        Mean of current less prior, with its 95 % interval by noise.
    peak_z
        The largest z, with its sign.
    p, q
        Of a cluster of this extent or height where nothing changed; the same after Benjamini-Hochberg over
        all clusters of the map.
    """

    label: int
    sign: Sign
    centre_lps_mm: tuple[float, float, float]
    volume: Quantity
    difference: Quantity
    peak_z: float
    p: float
    q: float


@dataclass(frozen=True, slots=True, eq=False)
class ChangeMap:
    """Where a patient's scan changed beyond what noise, edges and technique explain.

    Attributes
    ----------
    grid
        In the space of the current scan; its voxels, or coarser ones along the same axes.
    z : (z, y, x) float32, 1
        Current less prior over its standard deviation, NaN where nothing was compared.
    difference : (z, y, x) float32, `unit`
        Current less prior, both smoothed to `smoothing_mm`; NaN likewise.
    ratio : (z, y, x) float32, 1; or None
        Current over prior: of MR after matching, and of PET. None for CT, whose zero is arbitrary.
    log_jacobian : (z, y, x) float32, 1
        Logarithm of the volume now over the volume then of what lies in a voxel.
    labels : (z, y, x) int32
        Number of the cluster, 0 for none.
    clusters
        Those that are significant, the surest first.
    smoothing_mm
        Full width at half maximum of the filter that both scans went through.
    method, source
        How it was made, and after whom.
    notes
        What a reader must know of this map.
    """

    grid: Grid
    z: Array
    difference: Array
    ratio: Array | None
    log_jacobian: Array
    labels: npt.NDArray[np.int32]
    clusters: tuple[Cluster, ...]
    unit: str
    smoothing_mm: float
    method: str
    source: str
    notes: tuple[str, ...]

    def mask_of(self, sign: Sign) -> Mask:
        """Return the voxels (z, y, x) of all clusters of one sign."""
        numbers = [cluster.label for cluster in self.clusters if cluster.sign == sign]
        return np.isin(self.labels, numbers)
