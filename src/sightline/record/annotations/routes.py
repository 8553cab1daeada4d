"""HTTP face of annotations; saving them, which touches the report, is in `care.reading`."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from sightline.record import annotations, archive
from sightline.runtime.http import Tx
from sightline.trust.identity import Caller

router = APIRouter(tags=["annotations"])


class DraftView(BaseModel):
    """The working copy of the caller: what was sent last, and its version."""

    version: int
    saved_at: datetime
    measurements: list[annotations.Measurement]
    key_images: list[annotations.KeyImage]
    presentations: list[annotations.Presentation]


class AnnotationsView(BaseModel):
    """All that is drawn on a study; `version` changes whenever somebody saves."""

    version: str
    draft: DraftView | None
    measurements: list[annotations.Measurement]
    key_images: list[annotations.KeyImage]
    presentations: list[annotations.Presentation]
    segmentations: list[annotations.Segmentation]
    unread: list[annotations.Unread]


class DraftBody(BaseModel):
    """A working copy; `version` is that of the one it was made from, 0 for none."""

    version: int = Field(ge=0)
    measurements: list[annotations.Measurement] = []
    key_images: list[annotations.KeyImage] = []
    presentations: list[annotations.Presentation] = []


class DraftKept(BaseModel):
    """The version to send with the next change."""

    version: int
    saved_at: datetime


@router.get("/studies/{study_uid}/annotations")
def open_annotations(study_uid: str, caller: Caller, held: archive.Held) -> AnnotationsView:
    """Return what people and programs drew on a study, and the caller's own working copy."""
    found, draft = annotations.open_annotations(held, study_uid, by=caller)
    return AnnotationsView(
        version=found.version,
        draft=_draft(draft) if draft else None,
        measurements=found.measurements,
        key_images=found.key_images,
        presentations=found.presentations,
        segmentations=found.segmentations,
        unread=found.unread,
    )


@router.put("/studies/{study_uid}/annotations/draft")
def keep_draft(study_uid: str, body: DraftBody, caller: Caller, db: Tx) -> DraftKept:
    """Keep the caller's working copy, which survives a crash and which nobody else sees."""
    content = annotations.Content(body.measurements, body.key_images, body.presentations)
    draft = annotations.keep_draft(db, study_uid, body.version, content, by=caller)
    return DraftKept(version=draft.version, saved_at=draft.saved_at)


@router.delete("/studies/{study_uid}/annotations/draft", status_code=204)
def discard_draft(study_uid: str, caller: Caller, db: Tx) -> None:
    """Throw the caller's working copy away."""
    annotations.discard_draft(db, study_uid, by=caller)


@router.post(
    "/studies/{study_uid}/annotations/segmentations",
    status_code=201,
    openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}},
)
async def save_segmentation(
    request: Request, study_uid: str, caller: Caller, held: archive.Held
) -> annotations.Written:
    """Save a label map as a segmentation: uint32 n, n bytes of JSON header, then uint8 voxels.

    The header is a `Painted`; the voxels are (layer, slice, row, column). `Content-Encoding: gzip` is taken.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > annotations.MOST_VOXELS + annotations.MOST_HEADER_BYTES:
            raise annotations.UnusableLabelmap(
                "The label map is larger than 512 MiB; leave out empty slices."
            )
    gzipped = request.headers.get("content-encoding", "").lower() == "gzip"
    return await run_in_threadpool(
        annotations.save_segmentation, held, study_uid, body, by=caller, gzipped=gzipped
    )


def _draft(draft: annotations.Draft) -> DraftView:
    content: dict[str, Any] = draft.content
    return DraftView(version=draft.version, saved_at=draft.saved_at, **content)
