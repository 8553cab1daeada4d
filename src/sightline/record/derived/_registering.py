"""An alignment as a DICOM registration object: linear maps as matrices, all others as displacement grids.

The library that writes our other objects has none for this, so the modules are built here.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DeformableSpatialRegistrationStorage,
    ExplicitVRLittleEndian,
    SpatialRegistrationStorage,
)
from pydicom.valuerep import DA, TM, format_number_as_ds

from sightline.kernel.errors import Conflict
from sightline.record.derived._header import (
    MANUFACTURER,
    IncompleteSource,
    device_uid,
    local_time,
    patient_name,
    read_headers,
    series_description,
    software_version,
    stamp,
)
from sightline.record.derived._texts import deterministic_uid, short_text
from sightline.science.alignment import Alignment
from sightline.science.geometry import Floats, Grid

Field = npt.NDArray[np.float32]

SERIES_NUMBER = 914
GRID_MM = 4.0
"""Displacements between spline knots 10 mm apart lose nothing that counts at this distance."""

_PATIENT_AND_STUDY = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "StudyInstanceUID", "StudyID", "StudyDate", "StudyTime", "StudyDescription", "AccessionNumber",
    "ReferringPhysicianName",
)  # fmt: skip


class UntrustedAlignment(Conflict):
    """The alignment failed its tests, so no object that others would trust is made of it."""


def build_registration(
    found: Alignment,
    current: Sequence[Dataset],
    prior: Sequence[Dataset],
    *,
    moment: datetime,
    prior_grid: Grid | None = None,
    simulated: bool = False,
) -> Dataset:
    """Return an alignment as a Spatial or Deformable Spatial Registration of the current study.

    The registered space is the current (fixed) one. A rigid or affine map becomes a matrix that takes points
    of the prior into it; any other becomes the total displacement field, which takes points of the current
    study to the prior. The same alignment of the same images has the same UIDs.

    Parameters
    ----------
    found
        From the current to the prior images.
    current, prior : headers of the images of the two series
    prior_grid
        Where the prior has voxels: displacements that lead out of it are written as undefined.

    Raises
    ------
    UntrustedAlignment
        If the alignment failed.
    IncompleteSource
        If the images lack UIDs or a frame of reference, or are not of the same patient.

    References
    ----------
    PS3.3 A.39.1, A.39.2 (IODs), C.20.2, C.20.3 (modules), C.12.2 (Common Instance Reference);
    PS3.16 CID 7100.
    """
    if found.verdict == "failed":
        raise UntrustedAlignment(f"No registration is written: {found.reason}")
    headers, before = read_headers(current), read_headers(prior)
    frame_uid, prior_frame_uid = _frame_uid(headers, "current"), _frame_uid(before, "prior")
    if headers[0].PatientID != before[0].PatientID:
        raise IncompleteSource("The two series are of different patients; no registration is written.")
    ds = _frame(headers[0], found, moment, simulated=simulated)
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = frame_uid, ""
    _name(ds, found, headers, before)
    if found.matrix is not None:
        ds.SOPClassUID = SpatialRegistrationStorage
        ds.RegistrationSequence = [
            _linear(np.eye(4), frame_uid, headers, found),
            _linear(np.asarray(np.linalg.inv(found.matrix), dtype=float), prior_frame_uid, before, found),
        ]
    else:
        ds.SOPClassUID = DeformableSpatialRegistrationStorage
        ds.DeformableRegistrationSequence = [_deformable(found, prior_frame_uid, before, prior_grid)]
    _refer(ds, headers, before)
    stamp(ds, headers[0], moment)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return ds


def _frame_uid(headers: Sequence[Dataset], which: str) -> str:
    uids = {str(header.get("FrameOfReferenceUID", "") or "") for header in headers}
    if len(uids) != 1 or not UID(next(iter(uids))).is_valid:
        raise IncompleteSource(
            f"The {which} images do not name one frame of reference; nothing can refer to it."
        )
    return next(iter(uids))


def _frame(header: Dataset, found: Alignment, moment: datetime, *, simulated: bool) -> Dataset:
    """Return all but the registration itself: patient, study, series, equipment, content identification."""
    ds = Dataset()
    for keyword in _PATIENT_AND_STUDY:
        if keyword in header:
            ds[keyword] = header[keyword]
    ds.PatientName = patient_name(header)
    local = local_time(header, moment)
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "REG", SERIES_NUMBER, 1
    ds.Laterality = ""  # type 2C: required unless a body part says that there are not two
    ds.SeriesDescription = series_description("Alignment with prior", simulated=simulated)
    ds.SeriesDate, ds.SeriesTime = DA(local.date()), TM(local.time())
    ds.ContentDate, ds.ContentTime = DA(local.date()), TM(local.time())
    ds.ContentLabel = "ALIGNMENT"
    ds.ContentDescription = short_text(f"{found.verdict}: {found.reason}")
    ds.ContentCreatorName = ""
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, MANUFACTURER
    ds.DeviceSerialNumber, ds.SoftwareVersions = device_uid()[-16:], software_version()
    return ds


def _name(ds: Dataset, found: Alignment, current: Sequence[Dataset], prior: Sequence[Dataset]) -> None:
    images = sorted(str(header.SOPInstanceUID) for header in (*current, *prior))
    field = hashlib.sha256(np.ascontiguousarray(found.displacement_mm).tobytes()).hexdigest()
    parts = ("registration", *images, found.method, field)
    ds.SeriesInstanceUID = UID(deterministic_uid("series", *parts))
    ds.SOPInstanceUID = UID(deterministic_uid("instance", *parts))


def _linear(matrix: Floats, frame_uid: str, images: Sequence[Dataset], found: Alignment) -> Dataset:
    item, registration, one = Dataset(), Dataset(), Dataset()
    one.FrameOfReferenceTransformationMatrix = [format_number_as_ds(float(v)) for v in matrix.ravel()]
    one.FrameOfReferenceTransformationMatrixType = "RIGID" if _is_rigid(matrix) else "AFFINE"
    registration.FrameOfReferenceTransformationComment = short_text(found.method)
    registration.RegistrationTypeCodeSequence = [_by_content()]
    registration.MatrixSequence = [one]
    item.FrameOfReferenceUID = frame_uid
    item.ReferencedImageSequence = [_reference(header) for header in images]
    item.MatrixRegistrationSequence = [registration]
    return item


def _is_rigid(matrix: Floats) -> bool:
    turn = matrix[:3, :3]
    return bool(np.abs(turn.T @ turn - np.eye(3)).max() < 1e-9 and np.linalg.det(turn) > 0)


def _deformable(found: Alignment, frame_uid: str, images: Sequence[Dataset], shown: Grid | None) -> Dataset:
    found = found if found.grid.spacing_xyz_mm[0] >= GRID_MM / 2 else found.resampled(GRID_MM)
    grid, field = right_handed(found.grid, found.displacement_mm)
    field = field.astype("<f4")
    if shown is not None:
        places = grid.to_lps_mm(np.indices(grid.shape_zyx).reshape(3, -1).T) + field.reshape(-1, 3)
        field.reshape(-1, 3)[~shown.contains(places)] = np.nan
    vectors = Dataset()
    vectors.ImageOrientationPatient = [format_number_as_ds(float(v)) for v in grid.axes[:, :2].T.ravel()]
    vectors.ImagePositionPatient = [format_number_as_ds(float(v)) for v in grid.origin_lps_mm]
    vectors.GridDimensions = list(grid.shape_zyx[::-1])
    vectors.GridResolution = [float(v) for v in grid.spacing_xyz_mm]
    vectors.VectorGridData = np.ascontiguousarray(field).tobytes()
    item = Dataset()
    item.SourceFrameOfReferenceUID = frame_uid
    item.ReferencedImageSequence = [_reference(header) for header in images]
    item.FrameOfReferenceTransformationComment = short_text(found.method)
    item.RegistrationTypeCodeSequence = [_by_content()]
    item.DeformableRegistrationGridSequence = [vectors]
    return item


def right_handed(grid: Grid, field: Field) -> tuple[Grid, Field]:
    """Return the same samples with the third axis along the cross product of the others (C.20.3)."""
    axes = grid.axes
    if np.linalg.det(axes) > 0:
        return grid, field
    x, y, z = (float(v) for v in grid.to_lps_mm([grid.shape_zyx[0] - 1, 0, 0])[0])
    turned = np.column_stack([axes[:, 0], axes[:, 1], -axes[:, 2]])
    return Grid(grid.shape_zyx, grid.spacing_xyz_mm, (x, y, z), tuple(turned.ravel().tolist())), field[::-1]


def _by_content() -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "125024", "DCM"
    code.CodeMeaning = "Image Content-based Alignment"
    return code


def _reference(header: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = header.SOPClassUID
    item.ReferencedSOPInstanceUID = header.SOPInstanceUID
    return item


def _refer(ds: Dataset, current: Sequence[Dataset], prior: Sequence[Dataset]) -> None:
    """Name the series that hold what is referred to: of this study, and of the prior's (C.12.2)."""
    referred = [*(current if ds.SOPClassUID == SpatialRegistrationStorage else ()), *prior]
    here = [header for header in referred if header.StudyInstanceUID == ds.StudyInstanceUID]
    elsewhere = [header for header in referred if header.StudyInstanceUID != ds.StudyInstanceUID]
    if here:
        ds.ReferencedSeriesSequence = _series(here)
    if elsewhere:
        study = Dataset()
        study.StudyInstanceUID = elsewhere[0].StudyInstanceUID
        study.ReferencedSeriesSequence = _series(elsewhere)
        ds.StudiesContainingOtherReferencedInstancesSequence = [study]


def _series(headers: Sequence[Dataset]) -> list[Dataset]:
    series: dict[str, Dataset] = {}
    for header in headers:
        uid = str(header.SeriesInstanceUID)
        if uid not in series:
            series[uid] = Dataset()
            series[uid].SeriesInstanceUID = header.SeriesInstanceUID
            series[uid].ReferencedInstanceSequence = []
        series[uid].ReferencedInstanceSequence.append(_reference(header))
    return list(series.values())
