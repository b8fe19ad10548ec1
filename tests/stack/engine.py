"""A stand-in for a Docker engine: it speaks the engine's API, and its containers are sockets that answer.

It knows the few calls that the stack makes and refuses all others, and it keeps the engine's rules that matter here: a
container keeps its ports, and one that does not run cannot be killed.
"""

from __future__ import annotations

import contextlib
import json
import re
import socketserver
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from typing_extensions import override


class Quiet(BaseHTTPRequestHandler):
    """Keeps no log."""

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass


class Anything(Quiet):
    """Whatever is asked, all is well."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


class Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@dataclass
class Box:
    """A container."""

    asked: dict[str, Any]
    status: str = "created"
    servers: list[Listening] = field(default_factory=list)

    @property
    def ports(self) -> dict[str, int]:
        bindings = self.asked["HostConfig"]["PortBindings"]
        return {inside.partition("/")[0]: int(where[0]["HostPort"]) for inside, where in bindings.items()}

    def seen(self, name: str) -> dict[str, Any]:
        bindings = self.asked["HostConfig"]["PortBindings"]
        networks = {"bridge": {"Gateway": "localhost", "IPAddress": "localhost"}}
        return {
            "Id": name,
            "State": {"Status": self.status},
            "Config": {"Labels": {}, "Tty": True},
            "Image": "sha256:0",
            "HostConfig": {"NetworkMode": "bridge"},
            "NetworkSettings": {"Ports": bindings, "Networks": networks},
        }

    def start(self) -> None:
        if self.status != "running":
            self.status = "running"
            self.servers = [Listening(("127.0.0.1", port), Anything) for port in self.ports.values()]
            for server in self.servers:
                threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def end(self) -> None:
        self.status = "exited"
        for server in self.servers:
            server.shutdown()
            server.server_close()
        self.servers = []


@dataclass
class Engine:
    address: str
    images: set[str] = field(default_factory=set)
    refuses: bool = False
    boxes: dict[str, Box] = field(default_factory=dict)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, object]:
        match method, path.partition("?")[0].split("/")[1:]:
            case ("GET", ["_ping"]):
                return 200, b"OK"
            case ("GET", ["version"]):
                return 200, {"ApiVersion": "1.44"}
            case ("GET", ["networks"]):
                return 200, []
            case (_, ["images", *rest]):
                return self.image(rest, path)
            case ("POST", ["containers", "create"]):
                self.boxes[f"box{len(self.boxes)}"] = Box(body)
                return 201, {"Id": f"box{len(self.boxes) - 1}"}
            case ("GET", ["containers", "json"]):
                return 200, [box.seen(name) for name, box in self.boxes.items() if name in path]
            case (_, ["containers", name, *action]):
                return self.act(method, name, action)
            case _:
                return 404, {"message": path}

    def image(self, rest: list[str], path: str) -> tuple[int, object]:
        if rest == ["json"]:
            return 200, [{"Id": image} for image in self.images]
        if rest == ["create"]:
            self.images.add(path)
            return (500, {"message": "the registry is away"}) if self.refuses else (200, {})
        return 200, {"Id": "sha256:0"}

    def act(self, method: str, name: str, action: list[str]) -> tuple[int, object]:
        box = self.boxes[name]
        match method, *action:
            case ("GET", "json"):
                return 200, box.seen(name)
            case ("GET", "logs"):
                return 200, b"out of memory"
            case ("POST", "start"):
                box.start()
            case ("POST", "stop"):
                box.end()
            case ("POST", "kill") if box.status in {"running", "paused"}:
                box.end()
            case ("POST", "pause") if box.status == "running":
                box.status = "paused"
            case ("POST", "unpause") if box.status == "paused":
                box.status = "running"
            case ("DELETE",):
                box.end()
                box.status = "removed"
            case _:
                return 409, {"message": f"{method} {action} of a container that is {box.status}"}
        return 204, b""


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextlib.contextmanager
def running_engine(folder: Path) -> Generator[Engine]:
    """An engine that answers at a socket in a folder."""
    engine = Engine(f"unix://{folder}/docker.sock")

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            status, answer = engine.answer(self.command, re.sub(r"^/v[\d.]+", "", self.path), body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError):  # not everybody waits for the whole answer
                self.wfile.write(content)

        do_GET = do_POST = do_DELETE = handle_one  # noqa: N815 - the names that the base class calls

    with UnixServer(f"{folder}/docker.sock", Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield engine
        finally:
            server.shutdown()
            for box in engine.boxes.values():
                box.end()
