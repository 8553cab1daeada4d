"""The addresses of DICOMweb and what answers at each (PS3.18 tables 10.4.1-1, 10.5.1-1, 10.6.1-1)."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby

from starlette.routing import Route

from sightline.record import archive
from sightline.wire.dicomweb import _accept as accept
from sightline.wire.dicomweb import _frames as frames
from sightline.wire.dicomweb import _pictures as pictures
from sightline.wire.dicomweb import _removing as removing
from sightline.wire.dicomweb import _retrieving as retrieving
from sightline.wire.dicomweb import _search as search
from sightline.wire.dicomweb._capabilities import Capabilities, Capability, describe
from sightline.wire.dicomweb._encoding import PICTURES
from sightline.wire.dicomweb._serving import HEAVY_THREADS, THREADS, Act, Context, Resource
from sightline.wire.dicomweb._storing import store_objects
from sightline.wire.dicomweb._uri import get_by_query
from sightline.wire.dicomweb.settings import DicomWebSettings

STUDIES, STUDY = "/studies", "/studies/{study}"
SERIES = f"{STUDY}/series/{{series}}"
INSTANCE = f"{SERIES}/instances/{{instance}}"
FRAMES = f"{INSTANCE}/frames/{{frames}}"

_ATTRIBUTES = (accept.JSON, accept.XML)
_SEARCH = ("{attribute}", "includefield", "fuzzymatching", "emptyvaluematching", "multiplevaluematching",
           "limit", "offset")  # fmt: skip
_RENDERING = ("accept", "annotation", "quality", "viewport", "window", "iccprofile")
_STORED = (accept.DICOM, accept.JSON, accept.XML)
_QUERY = ("requestType", "studyUID", "seriesUID", "objectUID", "contentType", "charset", "frameNumber",
          "rows", "columns", "region", "windowCenter", "windowWidth", "imageQuality", "annotation",
          "transferSyntax")  # fmt: skip

_SEARCHING = Capability("Search", _SEARCH, _ATTRIBUTES)
_STORING = Capability("Store", (), _ATTRIBUTES, _STORED)
_METADATA = Capability("RetrieveMetadata", ("accept",), _ATTRIBUTES)
_OBJECTS = Capability("Retrieve", ("accept",), (accept.DICOM, accept.ZIP))
_BULK = Capability("RetrieveBulkData", ("accept",), (accept.OCTETS, *accept.IMAGES))
_FRAMES = Capability("RetrieveFrames", ("accept",), (accept.OCTETS, *accept.IMAGES))
_RENDERED = Capability(
    "RetrieveRendered", _RENDERING, (*PICTURES, "text/html", "application/pdf", "video/mp4")
)
_THUMBNAIL = Capability("RetrieveThumbnail", ("accept", "viewport", "window"), PICTURES)

_BY_QUERY = Capability("RetrieveURI", _QUERY, (accept.DICOM, *PICTURES))

_looking = partial(Act, heavy=True)

# Address, method, what it does, what it says of itself.
_ROWS = (
    (FRAMES, "GET", Act(frames.get_frames, quick=frames.get_frame_quickly), _FRAMES),
    (
        f"{SERIES}/metadata",
        "GET",
        Act(retrieving.get_metadata, quick=retrieving.get_metadata_quickly),
        _METADATA,
    ),
    *((f"{place}/metadata", "GET", Act(retrieving.get_metadata), _METADATA) for place in (INSTANCE, STUDY)),
    (STUDIES, "GET", Act(search.find_studies), _SEARCHING),
    *((place, "POST", Act(accept_body=store_objects, needs="archive.store"), _STORING)
      for place in (STUDIES, STUDY)),
    (f"{STUDY}/series", "GET", Act(search.find_series), _SEARCHING),
    (f"{STUDY}/instances", "GET", Act(search.find_instances), _SEARCHING),
    ("/series", "GET", Act(search.find_series), _SEARCHING),
    (f"{SERIES}/instances", "GET", Act(search.find_instances), _SEARCHING),
    ("/instances", "GET", Act(search.find_instances), _SEARCHING),
    (f"{FRAMES}/rendered", "GET", _looking(pictures.get_rendered), _RENDERED),
    (f"{FRAMES}/thumbnail", "GET", _looking(pictures.get_thumbnail), _THUMBNAIL),
    (f"{INSTANCE}/bulkdata/{{tag}}", "GET", Act(frames.get_bulk_value), _BULK),
    *(
        row
        for place in (INSTANCE, SERIES, STUDY)
        for row in (
            (place, "GET", Act(retrieving.get_objects), _OBJECTS),
            (f"{place}/bulkdata", "GET", Act(frames.get_bulk_data), _BULK),
            (f"{place}/pixeldata", "GET", Act(frames.get_pixel_data), _BULK),
            (f"{place}/rendered", "GET", _looking(pictures.get_rendered), _RENDERED),
            (f"{place}/thumbnail", "GET", _looking(pictures.get_thumbnail), _THUMBNAIL),
            (place, "DELETE", Act(removing.remove, needs="archive.delete"), Capability("Delete")),
        )
    ),
    ("/wado", "GET", _looking(get_by_query, by_query=True), _BY_QUERY),
    ("/", "OPTIONS", Act(), Capability("RetrieveCapabilities")),
)  # fmt: skip
# Address, method, what it does, what it says of itself; what is asked for most comes first.
TABLE: "Table" = _ROWS


def build(
    store: archive.Store, settings: DicomWebSettings | None = None, spool: archive.Spool | None = None
) -> list[Route]:
    """Return the routes, to be mounted at `/dicom-web` of an application whose state has `database`."""
    return _routes(store, settings, TABLE, spool)


def build_uri(store: archive.Store, settings: DicomWebSettings | None = None) -> list[Route]:
    """Return the route of WADO-URI, for clients that look for it at the root of the server."""
    return _routes(store, settings, [row for row in TABLE if row[0] == "/wado"])


def capabilities(table: "Table" = TABLE) -> Capabilities:
    """Return what each address answers to; the conformance statement is printed from it."""
    ordered = sorted(table, key=lambda row: row[0])
    return {
        path: {method: told for _, method, _, told in rows}
        for path, rows in groupby(ordered, key=lambda row: row[0])
    }


def _routes(
    store: archive.Store,
    settings: DicomWebSettings | None,
    table: "Table",
    spool: archive.Spool | None = None,
) -> list[Route]:
    context = Context(
        store,
        spool or archive.Spool(store),
        settings or DicomWebSettings(),
        ThreadPoolExecutor(THREADS, thread_name_prefix="dicomweb"),
        ThreadPoolExecutor(HEAVY_THREADS, thread_name_prefix="dicomweb-render"),
    )
    told = capabilities(table)
    acts: dict[str, dict[str, Act]] = {}
    for path, method, act, _ in table:
        acts.setdefault(path, {})[method] = act
    return [
        Route(path, _resource(context, path, methods, told), include_in_schema=False)
        for path, methods in acts.items()
    ]


def _resource(context: Context, path: str, methods: Mapping[str, Act], told: Capabilities) -> Resource:
    answering = {method: act for method, act in methods.items() if method != "OPTIONS"}
    shown = None if path == "/" else path
    return Resource(context, answering, lambda asked: describe(asked, told, shown))


Table = tuple[tuple[str, str, Act, Capability], ...] | list[tuple[str, str, Act, Capability]]
