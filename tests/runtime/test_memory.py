"""Keeping freed memory."""

import ctypes

from sightline.runtime.memory import keep_freed_memory


def test_it_is_asked_for_once_and_a_system_without_it_goes_on(monkeypatch):
    asked = []

    class Library:
        @staticmethod
        def mallopt(name, value):
            asked.append((name, value >> 20))

    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library)
    keep_freed_memory()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    keep_freed_memory()

    assert asked == [(-1, 64), (-3, 16)]
