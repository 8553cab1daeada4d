"""Plug-in points: named places where a value from outside joins the house through an entry point.

A doubled name stops the start; our own parts come in by the same door.
"""

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from sightline.kernel.errors import Conflict, NotFound

T = TypeVar("T")


class PluginNameTaken(Conflict):
    """Two plug-ins have one name; uninstall or rename one of them."""


class PluginNotInstalled(NotFound):
    """No plug-in of that name is installed; `sightline models` lists those that are."""


class PlugPoint(Generic[T]):
    """The plug-ins of one kind, loaded once from the entry points of `group`."""

    def __init__(self, group: str, kind: type[T]) -> None:
        self.group = group
        self._kind = kind
        self._loaded: dict[str, T] | None = None

    def add(self, name: str, value: T) -> None:
        """Add a plug-in; refuse a name that is taken and a value of the wrong kind."""
        self._add(self._plugins(), name, value)

    def _add(self, plugins: dict[str, T], name: str, value: T) -> None:
        if name in plugins:
            raise PluginNameTaken(f"Two plug-ins of {self.group} are called {name}; uninstall or rename one.")
        if not isinstance(value, self._kind):
            raise TypeError(f"{self.group}: {name} is a {type(value).__name__}, not a {self._kind.__name__}.")
        plugins[name] = value

    def get(self, name: str) -> T:
        """Return the plug-in called `name`."""
        try:
            return self._plugins()[name]
        except KeyError:
            raise PluginNotInstalled(f"No plug-in of {self.group} is called {name}.") from None

    def __iter__(self) -> Iterator[tuple[str, T]]:
        """Yield name and value of each plug-in, by name."""
        yield from sorted(self._plugins().items())

    def _plugins(self) -> dict[str, T]:
        if self._loaded is None:
            found: dict[str, T] = {}
            for entry in entry_points(group=self.group):
                self._add(found, entry.name, entry.load())
            self._loaded = found
        return self._loaded
