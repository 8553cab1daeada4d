"""Proofs of minutes, which `make bench` runs; the others of their file are run always."""

import os

import pytest

LONG = pytest.mark.skipif(
    "PROOFS" not in os.environ, reason="takes minutes: PROOFS=1 runs it, as `make bench` does"
)
