"""Use cases: see what is drawn on a study, keep a working copy, save a segmentation."""

import json
import zlib

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from pydicom import Dataset

from sightline.kernel import clock
from sightline.record import archive, derived
from sightline.record.annotations import _documents as documents
from sightline.record.annotations import _store as store
from sightline.record.annotations._documents import Author
from sightline.record.annotations._gathering import Gathered, gather, require_images
from sightline.record.annotations._model import (
    Annotations,
    Content,
    Draft,
    DraftChangedMeanwhile,
    NoDraft,
    Painted,
    UnusableAnnotation,
    UnusableLabelmap,
    Written,
)
from sightline.runtime.db import Db
from sightline.trust import access, audit

audit.declare("annotation.open", "A person looked at what is drawn on a study")
audit.declare("annotation.draft", "A person began a working copy of annotations")
audit.declare("annotation.discard", "A person discarded a working copy of annotations")
audit.declare("annotation.segment", "A person's label map became a segmentation")

MOST_DRAFT_BYTES = 4 << 20
MOST_HEADER_BYTES = 4 << 20
MOST_VOXELS = 512 << 20

_CONTENT = TypeAdapter(Content)
_PAINTED = TypeAdapter(Painted)


def open_annotations(
    held: archive.Store, study_uid: str, *, by: access.Person
) -> tuple[Annotations, Draft | None]:
    """Return what stands on a study, and the working copy of the person who asks."""
    access.require(by, "archive.read", on=study_uid)
    audit.record_read(by, "annotation.open", on=study_uid)
    with held.database.reading() as db:
        archive.get_study(db, study_uid)
        gathered = gather(held, db, study_uid, person=by.id)
        return gathered.standing(), store.get_draft(db, study_uid, by.id)


def keep_draft(db: Db, study_uid: str, version: int, content: Content, *, by: access.Person) -> Draft:
    """Keep a person's working copy; `version` is that of the one it was made from, 0 for none.

    Raises
    ------
    DraftChangedMeanwhile
        If another window kept one since.
    """
    access.require(by, "archive.store", on=study_uid)
    archive.get_study(db, study_uid)
    kept = json.loads(_CONTENT.dump_json(content))
    if len(json.dumps(kept)) > MOST_DRAFT_BYTES:
        raise UnusableAnnotation("The working copy is larger than 4 MiB; save, then go on.")
    draft = store.put_draft(db, study_uid, by.id, version, kept)
    if draft is None:
        standing = store.get_draft(db, study_uid, by.id)
        raise DraftChangedMeanwhile(
            "Another window kept a newer working copy; load it, or send its version to overwrite it.",
            version=str(standing.version if standing else 0),
        )
    if draft.version == 1:
        audit.record(db, "annotation.draft", by=by, on=study_uid)
    return draft


def discard_draft(db: Db, study_uid: str, *, by: access.Person) -> None:
    """Throw a person's working copy away."""
    access.require(by, "archive.store", on=study_uid)
    if not store.drop_draft(db, study_uid, by.id):
        raise NoDraft("There is no working copy of yours for this study.")
    audit.record(db, "annotation.discard", by=by, on=study_uid)


def save_segmentation(
    held: archive.Store, study_uid: str, body: bytes | bytearray, *, by: access.Person, gzipped: bool = False
) -> Written:
    """Write a label map as a Segmentation; with `replaces` it takes the place of an earlier one.

    `body` is uint32 (little endian) n, n bytes of JSON (`Painted`), then the voxels; gzipped or not.

    Raises
    ------
    UnusableLabelmap, NothingSegmented, ImageNotInStudy
        If the label map fits neither its header nor the images.
    """
    access.require(by, "archive.store", on=study_uid)
    painted, voxels = read_body(body, gzipped=gzipped)
    with held.database.reading() as db:
        study = archive.get_study(db, study_uid)
        author = Author(by.id, by.name, clock.now(), study.simulated)
        source = _source(db, study_uid, painted)
        gathered = gather(held, db, study_uid, person=by.id) if painted.replaces else None
        series_uid, version = _place(gathered, painted)
    with derived.unquoted():
        ds = documents.build_segmentation(
            painted, voxels, source, author, series_uid=series_uid, version=version
        )
    archive.store_dataset(held, ds, archive.Source("internal", "annotations", by))
    written = Written("SEG", str(ds.SOPInstanceUID), str(ds.SeriesInstanceUID))
    with held.database.transaction() as db:
        audit.record(
            db, "annotation.segment", by=by, on=study_uid,
            object=written.sop_uid, replaces=painted.replaces, segments=len(painted.segments),
        )  # fmt: skip
    return written


def _source(db: Db, study_uid: str, painted: Painted) -> list[Dataset]:
    """Return the headers of the slices, in their order."""
    headers = require_images(db, study_uid, list({s.sop_uid for s in painted.slices}))
    source = [headers[s.sop_uid] for s in painted.slices]
    if any(str(ds.SeriesInstanceUID) != painted.reference_series_uid for ds in source):
        raise UnusableLabelmap("A slice of the label map is not of the series that it was painted on.")
    return source


def _place(gathered: Gathered | None, painted: Painted) -> tuple[str, int]:
    """Return the series of a segmentation, and which version in it: a new one goes on in that of the old."""
    if gathered is None:
        return documents.new_uid(), 1
    for document in gathered.documents:
        if document.origin.sop_uid == painted.replaces and document.kind == "SEG":
            if not document.origin.ours:
                raise UnusableLabelmap(
                    "The segmentation of another program cannot be replaced; save a new one."
                )
            return document.origin.series_uid, document.number + 1
    raise UnusableLabelmap("The segmentation to replace is not the newest one held; load it again.")


def read_body(body: bytes | bytearray, *, gzipped: bool) -> tuple[Painted, NDArray[np.uint8]]:
    """Return header and voxels (layer, slice, row, column) of what was sent."""
    data = _unzipped(body) if gzipped else memoryview(body)
    length = int.from_bytes(data[:4], "little")
    if len(data) < 4 or length > MOST_HEADER_BYTES or len(data) < 4 + length:
        raise UnusableLabelmap("The header of the label map is cut short, or larger than 4 MiB.")
    painted = _painted(bytes(data[4 : 4 + length]))
    if len(data) - 4 - length != painted.size:
        raise UnusableLabelmap(
            f"The label map has {len(data) - 4 - length} voxels and its header tells of {painted.size}."
        )
    shape = (painted.layers, len(painted.slices), painted.rows, painted.columns)
    return painted, np.frombuffer(data, np.uint8, offset=4 + length).reshape(shape)


def _painted(header: bytes) -> Painted:
    try:
        return _PAINTED.validate_json(header)
    except ValidationError as error:
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UnusableLabelmap(f"The header of the label map is not as described: {where[:500]}") from None


def _unzipped(body: bytes | bytearray) -> memoryview:
    """Return the content of a gzip file, opened in pieces, so that a bomb is seen before it goes off."""
    inflater = zlib.decompressobj(wbits=31)
    data = bytearray()
    rest: bytes | bytearray = body
    try:
        while rest and not inflater.eof:
            data += inflater.decompress(rest, 1 << 24)
            rest = inflater.unconsumed_tail
            if len(data) > MOST_VOXELS + MOST_HEADER_BYTES:
                raise UnusableLabelmap("The label map is larger than 512 MiB; leave out empty slices.")
    except zlib.error:
        raise UnusableLabelmap("The label map is not gzip, though it was sent as such.") from None
    if not inflater.eof:
        raise UnusableLabelmap("The label map is cut short.")
    return memoryview(data)
