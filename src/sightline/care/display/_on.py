"""What the application was built with, as a request asks for it."""

from typing import Annotated

from fastapi import Depends, Request

from sightline.care.display._model import Context


def context_of(request: Request) -> Context:
    """Return what the use cases of showing stand on."""
    context = request.app.state.display
    assert isinstance(context, Context)
    return context


On = Annotated[Context, Depends(context_of)]
