"""The clinic: an archive, people, studies."""

from tests.care.clinic import (
    clinic,
    database,
    db,
    log_in,
    radiologist,
    reads,
    receive,
    shared_postgresql,
    sqlite,
    store,
)

__all__ = [
    "clinic",
    "database",
    "db",
    "log_in",
    "radiologist",
    "reads",
    "receive",
    "shared_postgresql",
    "sqlite",
    "store",
]
