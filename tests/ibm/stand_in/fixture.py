"""The stand-in for one test: started, led to by the environment, and gone without a trace afterwards."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from stand_in.server import Server

CLIENT = ("QISKIT_IBM_TOKEN", "QISKIT_IBM_INSTANCE", "QISKIT_IBM_CHANNEL", "QISKIT_IBM_URL")


@contextmanager
def running(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[Server]:
    """A server whose environment is set, credentials not; afterwards no thread is left and nothing went wrong in it."""
    before = set(threading.enumerate())
    lead(monkeypatch, (server := Server(**options)).environment())
    stay_here(monkeypatch)
    try:
        yield server
    finally:
        server.close()
    assert server.mistakes == []
    left = {thread for thread in threading.enumerate() if thread not in before}
    assert [thread.name for thread in left if not thread.name.startswith("ThreadPoolExecutor")] == []  # Aer keeps one


def lead(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Set where the client finds the stand-in, and forget who the person at this computer is there."""
    for name in (*CLIENT, *(name for name in os.environ if name.lower().endswith("_proxy"))):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave this computer: a test key, or a real one, must not travel by mistake."""
    connect = socket.socket.connect

    def only_here(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise ConnectionRefusedError(f"a test connects to this computer only, not to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", only_here)
