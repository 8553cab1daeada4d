"""The client itself: DICOMweb (PS3.18) over httpx."""

import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import httpx
import numpy.typing as npt
from pydicom import Dataset, dcmread

from sightline.client._model import (
    LoginRefused,
    NotPermitted,
    NotThere,
    RequestRefused,
    ServerUnavailable,
    Stored,
    UnreadableAnswer,
)
from sightline.client._multipart import boundary_of, read_parts, write_parts
from sightline.kernel.errors import PlatformError
from sightline.science.volumes import Volume, assemble_volume

JSON = "application/dicom+json"
PAGE = 100
TRIES = 3
BUSY = frozenset({429, 502, 503, 504})
_ERRORS: dict[int, type[PlatformError]] = {401: LoginRefused, 403: NotPermitted, 404: NotThere}


class Archive:
    """A DICOMweb server.

    Parameters
    ----------
    url : str
        Where DICOMweb is mounted, such as ``https://host/dicom-web``.
    token : str, optional
        Bearer token (``sightline token create``).
    login : (str, str), optional
        User name and password, for servers with Basic authentication.
    timeout_s : float
        Longest silence of the server, in s.
    verify : bool or str
        Check the server's certificate; a path names the authority to trust.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        login: tuple[str, str] | None = None,
        timeout_s: float = 60,
        verify: bool | str = True,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=url.rstrip("/") + "/", auth=login, headers=headers, timeout=timeout_s, verify=verify
        )

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # Search (PS3.18 10.6) ---------------------------------------------------------------------------

    def find_studies(
        self, *, fuzzy: bool = False, limit: int | None = None, **keys: Any
    ) -> Iterator[Dataset]:
        """Yield matching studies; keys are DICOM keywords or tags (``PatientName="Mil*"``).

        Examples
        --------
        ``archive.find_studies(PatientID="4711", StudyDate="20240101-20241231", ModalitiesInStudy="CT")``
        """
        return self._search("studies", keys, fuzzy, limit)

    def find_series(
        self, study_uid: str = "", *, fuzzy: bool = False, limit: int | None = None, **keys: Any
    ) -> Iterator[Dataset]:
        """Yield matching series, of one study or of all."""
        return self._search(f"studies/{study_uid}/series" if study_uid else "series", keys, fuzzy, limit)

    def find_instances(
        self,
        study_uid: str = "",
        series_uid: str = "",
        *,
        fuzzy: bool = False,
        limit: int | None = None,
        **keys: Any,
    ) -> Iterator[Dataset]:
        """Yield matching instances, of one series, of one study or of all."""
        place = f"studies/{study_uid}/" if study_uid else ""
        place += f"series/{series_uid}/" if series_uid else ""
        return self._search(f"{place}instances", keys, fuzzy, limit)

    def _search(
        self, path: str, keys: Mapping[str, Any], fuzzy: bool, limit: int | None
    ) -> Iterator[Dataset]:
        return islice(self._pages(path, dict(keys), fuzzy), limit)

    def _pages(self, path: str, keys: dict[str, Any], fuzzy: bool) -> Iterator[Dataset]:
        wanted = keys | ({"fuzzymatching": "true"} if fuzzy else {})
        offset = 0
        while True:
            answer = self._get(path, wanted | {"limit": PAGE, "offset": offset}, JSON)
            found = _datasets(answer)
            yield from found
            offset += len(found)
            # A server may give fewer a page than asked for, and says by a warning that there are more.
            if not found or (len(found) < PAGE and "299" not in answer.headers.get("warning", "")):
                return

    # Retrieve (PS3.18 10.4) -------------------------------------------------------------------------

    def read_metadata(self, study_uid: str, series_uid: str = "") -> list[Dataset]:
        """Return the headers of a study or a series, without pixels."""
        return _datasets(self._get(f"{_place(study_uid, series_uid)}/metadata", {}, JSON))

    def read_objects(
        self, study_uid: str, series_uid: str = "", sop_uid: str = "", *, transfer_syntax: str = ""
    ) -> Iterator[Dataset]:
        """Yield the objects of a study, a series, or one, with pixels, as they come.

        Parameters
        ----------
        transfer_syntax : str
            What to ask for: ``*`` is as the server holds them, empty what PS3.18 has as default (explicit VR
            little endian, uncompressed).
        """
        for body in self._objects(_place(study_uid, series_uid, sop_uid), transfer_syntax):
            # Read to the end here: the bytes behind the file are gone at the next turn.
            yield dcmread(BytesIO(body.read()))

    def read_volume(self, study_uid: str, series_uid: str) -> Volume:
        """Return a series as one volume: array (z, y, x) with modality rescale, and its grid in LPS mm.

        Raises
        ------
        sightline.science.volumes.NotAVolume
            If the images do not form one; the subclass and message say why.
        """
        return assemble_volume(list(self.read_objects(study_uid, series_uid)))

    def read_pixels(self, study_uid: str, series_uid: str, sop_uid: str) -> tuple[npt.NDArray[Any], Dataset]:
        """Return the stored values of one object, (frame, row, column[, sample]) as pydicom has them."""
        ds = next(self.read_objects(study_uid, series_uid, sop_uid))
        return ds.pixel_array, ds

    def download(
        self, folder: Path | str, study_uid: str, series_uid: str = "", *, transfer_syntax: str = "*"
    ) -> list[Path]:
        """Copy the objects of a study or series into `folder`, one file each named by number; return them."""
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        written = []
        for number, body in enumerate(self._objects(_place(study_uid, series_uid), transfer_syntax), 1):
            path = target / f"{number:06d}.dcm"
            with path.open("xb") as file:
                while piece := body.read(1 << 20):
                    file.write(piece)
            written.append(path)
        return written

    def _objects(self, place: str, transfer_syntax: str) -> Iterator[Any]:
        accept = 'multipart/related; type="application/dicom"'
        if transfer_syntax:
            accept += f"; transfer-syntax={transfer_syntax}"
        with self._stream(place, accept) as answer:
            yield from read_parts(answer.iter_bytes(), boundary_of(answer.headers.get("content-type", "")))

    # Store (PS3.18 10.5) ----------------------------------------------------------------------------

    def upload(self, objects: Iterable[Path | str | Dataset | bytes], *, batch: int = 50) -> Iterator[Stored]:
        """Store files, folders or datasets; yield what became of each, a batch at a time."""
        waiting = _named(objects)
        while some := list(islice(waiting, batch)):
            yield from self._store(some)

    def _store(self, objects: list[tuple[str, Path | bytes]]) -> Iterator[Stored]:
        boundary = uuid4().hex
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        with _told():
            answer = self._http.post(
                "studies",
                content=write_parts((content for _, content in objects), boundary),
                headers={"Content-Type": kind, "Accept": JSON},
            )
        if answer.status_code not in {200, 202, 409}:
            raise _error(answer)
        name_of = {_sop_uid(content): name for name, content in objects}
        yield from _results(_json(answer), name_of)

    # HTTP -------------------------------------------------------------------------------------------

    def _get(self, path: str, parameters: Mapping[str, Any], accept: str) -> httpx.Response:
        """Return an answer in whole; ask again while the server is busy."""
        for attempt in range(TRIES):
            last = attempt == TRIES - 1
            try:
                with _told():
                    answer = self._http.get(path, params=parameters, headers={"Accept": accept})
            except ServerUnavailable:
                if last:
                    raise
            else:
                if answer.status_code in {200, 204}:
                    return answer
                if last or answer.status_code not in BUSY:
                    raise _error(answer)
            time.sleep(0.5 * 2**attempt)
        raise AssertionError("unreachable")

    @contextmanager
    def _stream(self, path: str, accept: str) -> Iterator[httpx.Response]:
        with _told(), self._http.stream("GET", path, headers={"Accept": accept}) as answer:
            if answer.status_code != 200:
                answer.read()
                raise _error(answer)
            yield answer


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the network says into our words."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise ServerUnavailable("The server did not answer in time; try again or raise timeout_s.") from error
    except httpx.HTTPError as error:
        raise ServerUnavailable(f"The server cannot be reached ({type(error).__name__}).") from error


def _error(answer: httpx.Response) -> PlatformError:
    """Return what the server refused with, in its own words where it has some."""
    kind = _ERRORS.get(answer.status_code, ServerUnavailable if answer.status_code >= 500 else RequestRefused)
    try:
        words = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        words = f"The server answered {answer.status_code} {answer.reason_phrase}."
    return kind(words)


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise UnreadableAnswer("The server's answer is not JSON; is the address one of DICOMweb?") from None


def _datasets(answer: httpx.Response) -> list[Dataset]:
    if answer.status_code == 204 or not answer.content:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [Dataset.from_json(item, bulk_data_uri_handler=_leave) for item in _json(answer)]


def _leave(_uri: str) -> None:
    """Leave bulk data where they are: a header is wanted, not its pixels."""


def _place(study_uid: str, series_uid: str = "", sop_uid: str = "") -> str:
    place = f"studies/{study_uid}"
    place += f"/series/{series_uid}" if series_uid else ""
    return place + (f"/instances/{sop_uid}" if sop_uid else "")


def _named(objects: Iterable[Path | str | Dataset | bytes]) -> Iterator[tuple[str, Path | bytes]]:
    for number, given in enumerate(objects, 1):
        if isinstance(given, Dataset):
            buffer = BytesIO()
            given.save_as(buffer, enforce_file_format=True)
            yield f"object {number}", buffer.getvalue()
        elif isinstance(given, bytes):
            yield f"object {number}", given
        elif (path := Path(given)).is_dir():
            yield from ((str(found), found) for found in sorted(path.rglob("*")) if found.is_file())
        else:
            yield str(path), path


def _sop_uid(content: Path | bytes) -> str:
    source = BytesIO(content) if isinstance(content, bytes) else content
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return str(
                dcmread(source, specific_tags=["SOPInstanceUID"], force=True).get("SOPInstanceUID", "")
            )
    except Exception:  # noqa: BLE001  whatever it is, the server will say
        return ""


def _results(body: Mapping[str, Any], name_of: Mapping[str, str]) -> Iterator[Stored]:
    """Read the Referenced, Failed and Other Failures sequences (PS3.18 table 10.5.3-2)."""
    for item in _items(body, "00081199"):
        uid = str(_first(item, "00081155"))
        yield Stored(name_of.get(uid, ""), uid, True, int(_first(item, "00081196") or 0))
    for item in (*_items(body, "00081198"), *_items(body, "0008119A")):
        uid = str(_first(item, "00081155") or "")
        words = str(_first(item, "00000902") or "The server gives no reason.")
        yield Stored(name_of.get(uid, ""), uid, False, int(_first(item, "00081197") or 0), words)


def _items(body: Mapping[str, Any], tag: str) -> list[Any]:
    return list(body.get(tag, {}).get("Value") or [])


def _first(item: Mapping[str, Any], tag: str) -> Any:
    return next(iter(item.get(tag, {}).get("Value") or []), None)
