"""A reserved port is free for our server and for nobody else."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from stack.native.ports import LOOPBACK, free_port, listens, reserved_port


def test_a_server_that_reuses_addresses_may_listen_at_a_reserved_port_again_and_again() -> None:
    with ExitStack() as held:
        port = reserved_port(held)
        for _ in range(3):
            assert not listens(LOOPBACK, port)
            with socket.create_server((LOOPBACK, port)):  # which sets SO_REUSEADDR
                assert listens(LOOPBACK, port)


def test_nobody_else_gets_a_reserved_port() -> None:
    with ExitStack() as held:
        ports = {reserved_port(held) for _ in range(50)}
        assert len(ports) == 50
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((LOOPBACK, ports.pop()))


def test_a_free_port_can_be_had() -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, free_port()))
