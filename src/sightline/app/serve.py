"""One process that is a complete system: HTTP, DICOM, jobs, settling, audit."""

import asyncio
import gc
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import structlog

from sightline.app.http import build_app
from sightline.app.installation import Installation
from sightline.kernel.errors import Unavailable
from sightline.record import archive, upkeep
from sightline.runtime.memory import keep_freed_memory
from sightline.trust import audit, identity
from sightline.wire import dimse, transfers

log = structlog.get_logger(__name__)


class PortTaken(Unavailable):
    """Another program listens on the port; stop it or choose another port."""


def serve(installation: Installation, *, ready: Callable[[str], None]) -> None:
    """Run until interrupted; `ready` is called with the address once pages can be opened."""
    settings = installation.settings.server
    keep_freed_memory()
    with ExitStack() as running:
        running.callback(installation.close)
        recovered = archive.recover(installation.store)
        if recovered:
            log.info("index rebuilt from stored bytes", instances=recovered)
        _start(running, installation.seal())
        reads = audit.ReadLog(installation.database)
        _start(running, reads)
        audit.use(reads)
        _start(running, archive.Settler(installation.store))
        worker = installation.worker()
        worker.start_when_free()  # a command or another server of this installation may be at the jobs
        running.callback(worker.stop)
        spool = archive.Spool(installation.store)
        _start(running, spool)
        listener = dimse.Listener(
            installation.store, settings, spool=spool, dimse=installation.settings.dimse
        )
        _start(running, listener)
        _start(running, transfers.Dispatcher(installation.store, installation.settings.transfers))
        _start(running, upkeep.Keeper(installation.store, installation.settings.upkeep))
        asyncio.run(_serve_http(installation, spool, ready))


def _start(running: ExitStack, part: Any) -> None:
    part.start()
    running.callback(part.stop)


async def _serve_http(installation: Installation, spool: archive.Spool, ready: Callable[[str], None]) -> None:
    settings = installation.settings.server
    _require_free(settings.host, settings.http_port)
    app = build_app(installation, spool)
    server = _granian(app, settings.host, settings.http_port)
    serving = asyncio.create_task(server.serve())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    address = settings.public_url or f"http://{settings.host}:{settings.http_port}"
    await _reachable(settings.host, settings.http_port, serving)
    _settle_memory()
    ready(address)
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    server.stop()
    with suppress(asyncio.CancelledError, TimeoutError):
        await asyncio.wait_for(serving, timeout=10)


def _settle_memory() -> None:
    """Tell the collector that what was loaded stays, so that it need not walk through it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _granian(app: Any, host: str, port: int) -> Any:
    from granian.constants import Interfaces
    from granian.server.embed import Server

    return Server(app, address=host, port=port, interface=Interfaces.ASGI, log_enabled=False)


async def _reachable(host: str, port: int, serving: "asyncio.Task[Any]") -> None:
    for _ in range(200):
        if serving.done():
            serving.result()
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    raise PortTaken(f"The server did not come up on {host}:{port}.")


def _require_free(host: str, port: int) -> None:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise PortTaken(f"Port {port} is in use; stop what listens there or pass --http-port.") from None


def first_login(installation: Installation) -> str | None:
    """Make sure that somebody can log in; return the one-time set-up link when one is due."""
    password = installation.settings.server.admin_password
    with installation.database.transaction() as db:
        token = identity.first_administrator(db, password.get_secret_value() if password else None)
    return f"/setup?token={token}" if token else None
