"""Taking in what was uploaded, when it is much."""

from typing import Any

from sightline.record import archive
from sightline.runtime import jobs
from sightline.trust import access
from sightline.wire import media


@jobs.job(media.TAKE_IN_UPLOAD)
def take_in_upload(run: jobs.Run, upload: str, person: dict[str, Any], by: str) -> None:
    """Take in an uploaded file on behalf of who uploaded it."""
    store: archive.Store = run.resource("store")
    who = access.Person(
        by, person["name"], person["username"], frozenset(person["roles"]), person["site"], "operations"
    )
    settings: media.MediaSettings = run.resource("media_settings")
    run.step("take in", lambda: media.take_in_upload(store, upload, by=who, settings=settings))
