"""Maps of change on demand: of a study and the prior that it was compared with, as objects of its study.

What was asked and what became of it are blobs beside the alignment: a map follows from the two sets of
images, and is made once.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydicom import Dataset, dcmread

from sightline.intelligence.routing import _comparing as comparing
from sightline.intelligence.routing._comparing import Pair
from sightline.intelligence.routing._following import find_pair
from sightline.kernel import clock
from sightline.kernel.errors import Invalid, NotFound, PlatformError
from sightline.kernel.quantities import Quantity
from sightline.record import archive, derived, timeline
from sightline.runtime import jobs, processes
from sightline.runtime.blobs import Blobs
from sightline.runtime.db import Db
from sightline.science import alignment as aligning
from sightline.science import change as changing
from sightline.science import pet, volumes
from sightline.trust import access, audit

audit.declare("change-map.request", "A map of change between a study and its prior was asked for")
audit.declare("change-map.store", "A map of change was stored in its study")

MAP_MEMORY_MIB = 4096
"""What the child may take; 512 x 512 x 300 took 1.7 GiB."""

MapStatus = Literal["none", "waiting", "making", "done", "refused", "failed"]
OURS = archive.Source("internal", "change-map", access.SYSTEM)


class NotComparedYet(NotFound):
    """The study has no comparison with a prior yet; wait for it, or there is none to compare with."""


@dataclass(frozen=True, slots=True)
class MapObject:
    """One object of a map: ``PM`` or ``SEG``, its UIDs, what it shows; `content` is its Content Label."""

    kind: str
    sop_uid: str
    series_uid: str
    label: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class MapCluster:
    """One place that changed beyond noise, as `change.Cluster` has it."""

    sign: changing.Sign
    centre_lps_mm: tuple[float, float, float]
    volume: Quantity
    difference: Quantity
    peak_z: float
    q: float


@dataclass(frozen=True, slots=True)
class MapState:
    """How the map of change of a study stands, in words; when it is done, what was stored.

    `series_uid` is the scan that is mapped, `since` when it was asked for or begun; `increases` and
    `decreases` count the clusters; `notes` is what a reader must know.
    """

    status: MapStatus
    text: str
    prior_uid: str
    series_uid: str = ""
    since: str | None = None
    increases: int = 0
    decreases: int = 0
    objects: tuple[MapObject, ...] = ()
    clusters: tuple[MapCluster, ...] = ()
    method: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()


def request_map(held: archive.Store, study_uid: str, *, by: access.Person) -> MapState:
    """Have the map of change of a study made, unless it is; one that failed is made again.

    Raises
    ------
    NotComparedYet
        If the study has not been compared with a prior.
    """
    access.require(by, "analysis.run", on=study_uid)
    with held.database.transaction() as db:
        comparison = _comparison(db, study_uid)
        known = _state(held.blobs, comparison)
        if known.status in ("done", "refused"):
            return known
        if known.status == "failed":
            for key in (_result_key(comparison), _begun_key(comparison), _asked_key(comparison)):
                held.blobs.delete(key)
        # Kept first: whoever asks again while it is being made waits for the same job.
        held.blobs.put_if_absent(_asked_key(comparison), clock.now().isoformat().encode())
        asked = held.blobs.get(_asked_key(comparison)).decode()
        jobs.enqueue(db, "change-map", key=f"change-map-{comparison.id}-{asked}", subject=study_uid, at=asked)
        audit.record(db, "change-map.request", by=by, on=study_uid, prior=comparison.prior_uid)
    return _state(held.blobs, comparison)


def map_state(held: archive.Store, db: Db, study_uid: str, *, by: access.Person) -> MapState:
    """Return how the map of change of a study stands."""
    access.require(by, "archive.read", on=study_uid)
    return _state(held.blobs, _comparison(db, study_uid))


def _comparison(db: Db, study_uid: str) -> timeline.Comparison:
    archive.get_study(db, study_uid)
    comparison = timeline.comparison_of(db, study_uid)
    if comparison is None:
        raise NotComparedYet("This study was not compared with a prior yet, so no change can be mapped.")
    return comparison


def _asked_key(comparison: timeline.Comparison) -> str:
    return f"change-maps/{comparison.id}.asked"


def _begun_key(comparison: timeline.Comparison) -> str:
    return f"change-maps/{comparison.id}.begun"


def _result_key(comparison: timeline.Comparison) -> str:
    return f"change-maps/{comparison.id}.json"


def _state(blobs: Blobs, comparison: timeline.Comparison) -> MapState:
    return replace(_kept(blobs, comparison), series_uid=comparison.study_series_uid)


def _kept(blobs: Blobs, comparison: timeline.Comparison) -> MapState:
    if (result := _read(blobs, _result_key(comparison))) is not None:
        return _parse_state(result)
    if (asked := _read(blobs, _asked_key(comparison))) is None:
        return MapState("none", "no map of change was asked for", comparison.prior_uid)
    if (begun := _read(blobs, _begun_key(comparison))) is None:
        text = "the map of change is queued: other work goes first"
        return MapState("waiting", text, comparison.prior_uid, since=asked)
    text = "the map of change is being made, which takes about a minute"
    return MapState("making", text, comparison.prior_uid, since=begun)


def _read(blobs: Blobs, key: str) -> str | None:
    return blobs.get(key).decode() if blobs.head(key) is not None else None


def _parse_state(text: str) -> MapState:
    told = json.loads(text)
    clusters = [
        {
            **one,
            "centre_lps_mm": tuple(one["centre_lps_mm"]),
            "volume": Quantity(**one["volume"]),
            "difference": Quantity(**one["difference"]),
        }
        for one in told.get("clusters", ())  # an early map kept none
    ]
    told["objects"] = tuple(MapObject(**one) for one in told["objects"])
    told["clusters"] = tuple(MapCluster(**one) for one in clusters)
    return MapState(**{**told, "notes": tuple(told["notes"])})


def make_map(held: archive.Store, study_uid: str, at: str) -> None:
    """Make the map that was asked for at a moment, store its objects, keep what became of it."""
    with held.database.reading() as db:
        comparison = _comparison(db, study_uid)
        pair = _pair(db, comparison)
        simulated = archive.get_study(db, study_uid).simulated
    held.blobs.put_if_absent(_begun_key(comparison), clock.now().isoformat().encode())
    making = derived.Making(comparison.id, datetime.fromisoformat(at), simulated)
    try:
        state = _made(held, pair, making)
    except PlatformError as refusal:
        status: MapStatus = "refused" if isinstance(refusal, Invalid) else "failed"
        state = MapState(status, str(refusal), pair.prior_uid)
    except Exception:
        text = "the map broke on our side; it has been logged"
        _keep(held, comparison, MapState("failed", text, pair.prior_uid))
        raise
    _keep(held, comparison, state)


def _keep(held: archive.Store, comparison: timeline.Comparison, state: MapState) -> None:
    held.blobs.put_if_absent(_result_key(comparison), json.dumps(asdict(state)).encode())
    with held.database.transaction() as db:
        audit.record(
            db, "change-map.store", by=access.SYSTEM, on=comparison.study_uid,
            prior=comparison.prior_uid, state=state.status, objects=[o.sop_uid for o in state.objects],
        )  # fmt: skip


def _pair(db: Db, comparison: timeline.Comparison) -> Pair:
    return comparing.pair_of(
        db,
        archive.get_study(db, comparison.study_uid),
        archive.get_study(db, comparison.prior_uid),
        (comparison.study_series_uid, comparison.prior_series_uid),
        why=comparison.why,
        days=comparison.days,
    )


def _made(held: archive.Store, pair: Pair, making: derived.Making) -> MapState:
    with tempfile.TemporaryDirectory(prefix="sightline-map-") as folder:
        about, paths = _run(held, pair, making, Path(folder))
        objects = []
        for path in paths:
            ds = dcmread(path)
            archive.store_dataset(held, ds, source=OURS)
            objects.append(_object(ds))
    return MapState("done", about["text"], pair.prior_uid, objects=tuple(objects), **about["told"])


def _object(ds: Dataset) -> MapObject:
    kind = "SEG" if ds.Modality == "SEG" else "PM"
    return MapObject(
        kind,
        str(ds.SOPInstanceUID),
        str(ds.SeriesInstanceUID),
        str(ds.ContentDescription),
        str(ds.ContentLabel),
    )


def write_maps(
    held: archive.Store, study_uid: str, folder: Path, *, prior_uid: str | None = None, by: access.Person
) -> tuple[MapState, list[Path]]:
    """Make the map of change of a study and write its objects into a folder; nothing is stored.

    Raises
    ------
    NoPrior, NotComparable, NoChangeMap
        If there is nothing to compare with, or no map of these scans.
    """
    access.require(by, "archive.read", on=study_uid)
    folder.mkdir(parents=True, exist_ok=True)
    with held.database.reading() as db:
        pair = find_pair(db, study_uid, prior_uid)
        simulated = archive.get_study(db, study_uid).simulated
    making = derived.Making(pair.key.rsplit("/", 1)[-1], clock.now(), simulated)
    with tempfile.TemporaryDirectory(prefix="sightline-map-") as scratch:
        about, paths = _run(held, pair, making, Path(scratch))
        written = []
        for path in paths:
            target = folder / path.name
            target.write_bytes(path.read_bytes())
            written.append(target)
    return MapState("done", about["text"], pair.prior_uid, **about["told"]), written


def _run(
    held: archive.Store, pair: Pair, making: derived.Making, folder: Path
) -> tuple[dict[str, Any], list[Path]]:
    """Make the map in a child process, its objects in `folder`; return what it says and their files."""
    alignment, _ = comparing.align_pair(held, pair)
    if isinstance(alignment, str):
        raise changing.AlignmentNotTrusted(f"The two scans could not be aligned: {alignment}")
    with comparing.exported(held, pair, alignment) as files:
        about = processes.run_capped(map_folders, (*files, folder, making), memory_mib=MAP_MEMORY_MIB)
    return about, sorted(folder.glob("*.dcm"))


def map_folders(
    current: Path, prior: Path, field: Path, result: Path, making: derived.Making
) -> dict[str, Any]:
    """Map the change between two folders of DICOM files; runs in a child and writes objects to `result`."""
    now, then = (_scan(folder) for folder in (current, prior))
    found = changing.change_map(
        now[0],
        then[0],
        aligning.Alignment.from_bytes(field.read_bytes()),
        techniques=(changing.technique_of(now[1][0]), changing.technique_of(then[1][0])),
    )
    for n, ds in enumerate(derived.build_change_objects(found, now[1], then[1], making)):
        (result / f"{n}-{str(ds.ContentLabel).lower()}.dcm").write_bytes(derived.encode(ds))
    more = sum(cluster.sign == "increase" for cluster in found.clusters)
    less = len(found.clusters) - more
    told = {
        "increases": more,
        "decreases": less,
        "clusters": tuple(_cluster(cluster) for cluster in found.clusters),
        "method": found.method,
        "source": found.source,
        "notes": found.notes,
    }
    return {"text": _counted(more, less), "told": told}


def _cluster(found: changing.Cluster) -> MapCluster:
    return MapCluster(found.sign, found.centre_lps_mm, found.volume, found.difference, found.peak_z, found.q)


def _scan(folder: Path) -> tuple[volumes.Volume, Sequence[Dataset]]:
    """Return a folder as a volume, PET as uptake, and the headers of its images."""
    paths = sorted(folder.iterdir())
    volume = volumes.read_volume(paths)
    headers = [dcmread(path, stop_before_pixels=True) for path in paths]
    if str(headers[0].get("Modality")) != "PT":
        return volume, headers
    factors = {str(ds.SOPInstanceUID): pet.uptake_of(ds).factor for ds in headers}
    by_slice = np.array([factors[uid] for uid in volume.sop_uids], np.float32)
    return replace(volume, array=volume.array * by_slice[:, None, None], unit="g/ml"), headers


def _counted(more: int, less: int) -> str:
    if not more + less:
        return "nothing changed beyond noise"
    parts = [f"{n} {word}" for n, word in ((more, "increased"), (less, "decreased")) if n]
    return f"places beyond noise: {', '.join(parts)}"
