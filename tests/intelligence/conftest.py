"""The clinic: an archive, people, studies and what is said of them."""

from tests.care.clinic import (
    clinic,
    colleague,
    database,
    db,
    log_in,
    radiologist,
    reads,
    receive,
    shared_postgresql,
    sqlite,
    store,
    technologist,
)

__all__ = [
    "clinic",
    "colleague",
    "database",
    "db",
    "log_in",
    "radiologist",
    "reads",
    "receive",
    "shared_postgresql",
    "sqlite",
    "store",
    "technologist",
]
