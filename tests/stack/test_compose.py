"""The compose file holds together: what cannot be tried without an engine is at least consistent."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from adapters.process.environment import PREFIX, variable
from cli.settings import NAMES, READERS
from stack.containers import MONGODB_IMAGE, RABBITMQ_IMAGE
from stack.native.places import PROJECT
from tests.stack.commands import check_command
from worker.settings import Settings

COMPOSE: Final[dict[str, Any]] = YAML(typ="safe").load(  # pyright: ignore[reportUnknownMemberType] - its parameter has no type
    PROJECT / "docker-compose.yml"
)
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
OURS: Final = {name: service for name, service in SERVICES.items() if service["image"] == "calsync"}

each_service = pytest.mark.parametrize("name", SERVICES)
each_of_ours = pytest.mark.parametrize("name", OURS)


def test_what_runs_in_tests_runs_here() -> None:
    assert SERVICES["rabbitmq"]["image"] == RABBITMQ_IMAGE
    assert SERVICES["mongodb"]["image"] == MONGODB_IMAGE


@each_of_ours
def test_every_setting_is_one_that_the_product_knows(name: str) -> None:
    given = OURS[name].get("environment", {})
    assert {setting.removesuffix("_FILE").removeprefix(PREFIX).lower() for setting in given} <= NAMES


@pytest.mark.parametrize("part", ["worker", "relay", "sandbox"])
def test_a_part_is_given_every_setting_that_it_must_be_given(part: str) -> None:
    required = {variable(name) for name, field in READERS[part].model_fields.items() if field.is_required()}
    given = {setting.removesuffix("_FILE") for setting in SERVICES[part]["environment"]}
    assert required <= given


@each_of_ours
def test_every_command_is_one_that_there_is(name: str) -> None:
    words = OURS[name]["command"]
    said = re.findall(r"calsync (.*?) [>&|]", words[0]) if "entrypoint" in OURS[name] else [" ".join(words)]
    assert said
    for one in said:
        check_command(one.split())


@each_service
def test_who_waits_for_health_waits_for_one_who_can_tell(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        match how["condition"]:
            case "service_healthy":
                assert "healthcheck" in SERVICES[other], f"{name} waits for {other} for ever"
            case "service_completed_successfully":
                assert SERVICES[other]["restart"] in {"no", "on-failure:5"}, f"{other} does not end"
            case condition:
                pytest.fail(f"{name} does not really wait for {other}: {condition}")


@each_service
def test_every_address_is_a_service_that_is_waited_for_and_listens_there(name: str) -> None:
    for url in [word for word in SERVICES[name].get("environment", {}).values() if "://" in word]:
        host, port = re.findall(r"://(?:[^@/]*@)?([^:/]+):(\d+)", url)[0]
        assert host in waited_for(name) or name in waited_for(host), f"{name} may start without {host}"
        assert f"127.0.0.1:{port}:{port}" in SERVICES[host]["ports"]


@each_of_ours
def test_the_port_that_is_checked_is_the_port_that_is_opened(name: str) -> None:
    checked = set(re.findall(r"\b80\d0\b", str(OURS[name].get("healthcheck", ""))))
    told = [OURS[name].get("command", ""), OURS[name].get("environment", {}).get("CALSYNC_OPS_PORT", "")]
    opened = set(re.findall(r"\b80\d0\b", str(told)))
    assert checked == opened


@each_service
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@each_service
def test_nobody_takes_all_of_the_machine_or_fills_its_disk(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]
    assert limits.keys() == {"cpus", "memory"}
    assert SERVICES[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@each_service
def test_every_volume_is_declared(name: str) -> None:
    assert {volume.partition(":")[0] for volume in SERVICES[name].get("volumes", [])} <= COMPOSE["volumes"].keys()


@each_of_ours
def test_our_containers_can_do_little_harm(name: str) -> None:
    service = OURS[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_a_worker_is_given_the_time_that_it_takes_to_stop() -> None:
    assert Settings.model_fields["stop_seconds"].default < 60
    assert SERVICES["worker"]["stop_grace_period"] == "1m"


def test_the_demo_only_plays_when_asked_for() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["demo"]


# The image


DOCKERFILE: Final = (PROJECT / "Dockerfile").read_text()
LET_IN: Final = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}


def test_what_the_image_is_made_of_is_there_and_let_in() -> None:
    packages = set(re.findall(r'"(\w+)"', re.findall(r"^packages = \[(.*)\]", pyproject(), re.MULTILINE)[0]))
    copied = set(re.findall(r"requirements/\w+\.txt(?= )", DOCKERFILE))
    assert packages | copied | {"pyproject.toml", "README.md", "LICENSE"} == LET_IN
    assert all((PROJECT / name).exists() for name in LET_IN - {"README.md"})


def test_the_image_runs_the_command_itself_and_not_as_root() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["calsync"\]$', last, re.MULTILINE)
    assert 'calsync = "cli.main:run"' in pyproject()


def test_everything_in_the_image_comes_with_its_hash() -> None:
    installs = re.findall(r"pip .* install (.*)", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in install or "--no-index" in install for install in installs)


def waited_for(name: str) -> set[str]:
    """The service itself and all that are up before it starts."""
    found = {name}
    for other in SERVICES[name].get("depends_on", {}):
        found |= waited_for(other)
    return found


def pyproject() -> str:
    return (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
