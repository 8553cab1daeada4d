"""The archive of the running application, for route handlers."""

from typing import Annotated

from fastapi import Depends, Request

from sightline.record.archive._model import Store


def store_of(request: Request) -> Store:
    """Return the archive that the application was built with."""
    store = request.app.state.store
    assert isinstance(store, Store)
    return store


Held = Annotated[Store, Depends(store_of)]
