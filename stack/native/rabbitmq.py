"""RabbitMQ as a private, native server."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
from http import HTTPStatus
from pathlib import Path
from typing import Final

from stack.kept import Kept, Owner, await_ready
from stack.native.ports import LOOPBACK, listens, reserved_port
from stack.native.program import Program, Recipe
from stack.native.rabbitmq_files import RabbitMQFiles
from stack.native.runs import Run

_MOST_SCHEDULERS: Final = 4
_USER: Final = "guest"


def rabbitmq(files: RabbitMQFiles, run: Run, held: contextlib.ExitStack, owner: Owner) -> Kept:
    """Set a broker going. Its own name server lives as long as `held`, so that the broker may be killed and started."""
    names, distribution, amqp, management, metrics = (reserved_port(held) for _ in range(5))
    base = {
        "PATH": f"{files.erlang}:/usr/bin:/bin",
        "HOME": str(run.folder),
        "LANG": "C.UTF-8",
        "LD_LIBRARY_PATH": ":".join(files.libraries),
        "ERL_EPMD_PORT": str(names),
    }
    epmd = Program(
        Recipe(
            "epmd",
            [str(files.erlang / "epmd"), "-address", LOOPBACK],
            base,
            {},
            lambda: listens(LOOPBACK, names),
        ),
        run,
    )
    held.callback(epmd.kill)
    epmd.launch()
    await_ready(epmd, owner)  # a broker that finds none would start its own, and that one would outlive it
    broker = Program(
        Recipe(
            "rabbitmq",
            ["/bin/sh", str(files.server)],
            base | _settings(run.folder, amqp, distribution, management, metrics),
            {
                "rabbitmq_url": f"amqp://{_USER}:{_USER}@{LOOPBACK}:{amqp}/",
                "rabbitmq_management_url": f"http://{_USER}:{_USER}@{LOOPBACK}:{management}",
                "rabbitmq_metrics_url": f"http://{LOOPBACK}:{metrics}/metrics",
            },
            lambda: answers(LOOPBACK, amqp, management),
            one_cpu_until_ready=True,
        ),
        run,
    )
    held.callback(broker.kill)  # no good order at the end: its data goes with it, and good order takes six seconds
    broker.launch()
    return broker


def _settings(folder: Path, amqp: int, distribution: int, management: int, metrics: int) -> dict[str, str]:
    """Write the configuration files and return the environment that names them, and nothing of the machine's own."""
    home = folder / "rabbitmq"
    home.mkdir()
    (home / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = {LOOPBACK}:{amqp}\n"
        f"management.tcp.ip = {LOOPBACK}\n"
        f"management.tcp.port = {management}\n"
        f"prometheus.tcp.ip = {LOOPBACK}\n"
        f"prometheus.tcp.port = {metrics}\n"
        "disk_free_limit.absolute = 50MB\n"
    )
    (home / "advanced.config").write_text("[].\n")
    (home / "enabled_plugins").write_text("[rabbitmq_management,rabbitmq_prometheus,rabbitmq_shovel].\n")
    schedulers = min(len(os.sched_getaffinity(0)), _MOST_SCHEDULERS)
    return {
        "RABBITMQ_NODENAME": "calsync@localhost",  # each has a name server of its own, so names never meet
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(home / "data"),
        "RABBITMQ_LOG_BASE": str(home / "log"),
        "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),  # there is none
        "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
        "RABBITMQ_CONFIG_FILES": str(home / "conf.d"),  # there is none
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(home / "advanced.config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
        "RABBITMQ_ALLOW_INPUT": "1",  # the script then becomes the server, and a kill hits the server itself
        "RABBITMQ_SCHEDULER_BIND_TYPE": "u",
        # Idle schedulers sleep at once: by default they spin for a while, which the other processes here would pay for.
        "RABBITMQ_SERVER_START_ARGS": f"-noinput +S {schedulers}:{schedulers} +sbwt none +sbwtdcpu none +sbwtdio none "
        "-kernel inet_dist_use_interface {127,0,0,1}",
    }


def answers(host: str, amqp: int, management: int) -> bool:
    """Return whether a broker takes connections, and its HTTP API questions."""
    if not listens(host, amqp):
        return False
    connection = http.client.HTTPConnection(host, management, timeout=2)
    login = base64.b64encode(f"{_USER}:{_USER}".encode()).decode()
    try:
        connection.request("GET", "/api/vhosts/%2F", headers={"Authorization": f"Basic {login}"})
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
