"""Removing by DELETE: what the address names goes to the trash, from which a person can take it back."""

from starlette.responses import Response

from sightline.record import archive
from sightline.wire.dicomweb._frames import NothingHere
from sightline.wire.dicomweb._serving import Asked

REASON = "Deleted over DICOMweb"


def remove(asked: Asked) -> Response:
    """Put a study, a series or an instance in the trash."""
    with asked.store.database.transaction() as db:
        if asked.series and archive.get_series(db, asked.series).study != asked.study:
            raise NothingHere(f"Series {asked.series} is not held in study {asked.study}.")
        if asked.instance:
            archive.get_frames(asked.store, asked.instance, study=asked.study, series=asked.series)
        archive.trash_study(
            db,
            asked.study,
            reason=REASON,
            by=asked.person,
            trash_days=asked.store.settings.trash_days,
            series_uids=(asked.series,) if asked.series and not asked.instance else (),
            sop_uids=(asked.instance,) if asked.instance else (),
        )
    return Response(status_code=204)
