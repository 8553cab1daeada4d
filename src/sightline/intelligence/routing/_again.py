"""What was found at one date only, sought in the images of the other before it is called new or vanished."""

import json
from collections.abc import Sequence
from pathlib import Path

from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing._changes import Sides, free_links, seen_again, seen_key
from sightline.intelligence.routing._pair import Geometry, Pair
from sightline.record import archive, findings
from sightline.runtime import processes
from sightline.science import alignment as aligning
from sightline.science import change as changing
from sightline.science import volumes
from sightline.science.segmentation import Lesion


def look_again(
    held: archive.Store, pair: Pair, alignment: aligning.Alignment | str, geometry: Geometry | None
) -> None:
    """Seek in the images of the other date the nodules that links call new or vanished; keep what was seen.

    Each is sought once for a pair. Whoever found them may have missed one at either date.
    """
    if isinstance(alignment, str) or geometry is None or geometry.modality != "CT" or pair.flat:
        return
    with held.database.reading() as db:
        known = findings.of_patient(db, pair.patient)
        said = findings.statements_of(db, pair.patient)
    free = free_links(held.blobs, pair, Sides.of(pair, known, said), alignment, geometry)
    seen = seen_again(held.blobs, pair)
    alone = [(link, free.alone(link)) for link in free.links]
    wanted = {
        finding.id: link
        for link, finding in alone
        if finding and finding.kind == "lung-nodule" and finding.id not in seen
    }
    if not wanted:
        return
    with comparing.exported(held, pair, alignment) as files:
        reasons = processes.run_capped(look_in_folders, (*files, *free.lesions, tuple(wanted.values())))
    seen |= zip(wanted, reasons, strict=True)
    held.blobs.delete(seen_key(pair))
    held.blobs.put_if_absent(seen_key(pair), json.dumps(seen).encode())


def look_in_folders(
    current: Path,
    prior: Path,
    field: Path,
    now: Sequence[Lesion],
    then: Sequence[Lesion],
    links: Sequence[changing.Link],
) -> list[str]:
    """Return for each link the reason why its lesion is neither new nor vanished, else none; in a child."""
    looked = changing.look_again(
        links, now, then,
        volumes.read_volume(sorted(current.iterdir())), volumes.read_volume(sorted(prior.iterdir())),
        aligning.Alignment.from_bytes(field.read_bytes()),
    )  # fmt: skip
    return [link.reason if link.kind == "ambiguous" else "" for link in looked]
