"""HTTP face of media: uploads in pieces, studies as a download."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from sightline.record import archive
from sightline.runtime.http import Snapshot
from sightline.trust.identity import Caller
from sightline.wire import media

router = APIRouter(tags=["media"])

UploadId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class NewUpload(BaseModel):
    """A file that wants to come in."""

    name: str = Field(max_length=1024)
    size: int = Field(gt=0)


class UploadResult(BaseModel):
    """What became of one object of an upload."""

    name: str
    status: str
    reason: str
    study_uid: str | None


class UploadView(BaseModel):
    """How far an upload is; `results` come when it is done."""

    id: str
    name: str
    size: int
    offset: int
    state: str
    results: list[UploadResult]


@router.post("/uploads", status_code=201)
def begin_upload(request: Request, wanted: NewUpload, caller: Caller) -> UploadView:
    """Begin to upload a file: a DICOM object or a ZIP."""
    settings = request.app.state.media_settings
    return _view(
        media.begin_upload(archive.store_of(request), wanted.name, wanted.size, by=caller, settings=settings)
    )


@router.get("/uploads/{id}")
def get_upload(id: UploadId, caller: Caller, db: Snapshot) -> UploadView:  # noqa: A002
    """Say how far an upload is."""
    return _view(media.get_upload(db, id, by=caller))


@router.patch("/uploads/{id}", openapi_extra={"requestBody": {"content": {"application/octet-stream": {}}}})
async def add_piece(
    request: Request,
    id: UploadId,  # noqa: A002
    caller: Caller,
    upload_offset: Annotated[int, Header(ge=0)],
) -> UploadView:
    """Send the next piece, at most 64 MiB, from the given offset; it is kept when this answers."""
    piece = bytearray()
    async for chunk in request.stream():
        piece += chunk
        if len(piece) > media.MOST_PIECE:
            raise media.UploadTooLarge("A piece may have at most 64 MiB; send smaller ones.")
    upload = await run_in_threadpool(
        media.add_piece,
        archive.store_of(request),
        id,
        upload_offset,
        bytes(piece),
        by=caller,
        settings=request.app.state.media_settings,
    )
    return _view(upload)


@router.get("/studies/{uid}/download", response_class=StreamingResponse)
def download_study(request: Request, uid: str, caller: Caller, form: media.Form = "zip") -> StreamingResponse:
    """Copy a study out: its objects as a ZIP, as a medium with DICOMDIR, or its volumes as NIfTI."""
    entries = media.export_study(archive.store_of(request), uid, form, by=caller)
    headers = {"Content-Disposition": f'attachment; filename="study-{form}.zip"'}
    return StreamingResponse(media.zipped(entries), media_type="application/zip", headers=headers)


def _view(upload: media.Upload) -> UploadView:
    results = [UploadResult(**line) for line in upload.results]
    return UploadView(
        id=upload.id,
        name=upload.name,
        size=upload.size,
        offset=upload.offset,
        state=upload.state,
        results=results,
    )
