"""Free ports that stay ours."""

from __future__ import annotations

import contextlib
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"


def reserved_port(held: contextlib.ExitStack) -> int:
    """Return a free port that nobody else gets for as long as `held` is open.

    The port stays bound by a socket that never listens. A server that sets SO_REUSEADDR, as ours do, may listen there
    all the same. So two stacks that start at once cannot choose the same port, and while a server is down for a test no
    other program gets its port, not even a client that tries to reconnect and would then talk to itself.
    """
    holder = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((LOOPBACK, 0))
    port: int = holder.getsockname()[1]
    return port


def free_port() -> int:
    """Return a port that is free now, for a server that insists on having it to itself."""
    with contextlib.ExitStack() as held:
        return reserved_port(held)


def listens(host: str, port: int) -> bool:
    """Return whether anybody takes connections there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
