"""The manifests for Kubernetes are valid, and say what the code says: commands, settings, ports, queues, times."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any, Final, cast

import pytest
from ruamel.yaml import YAML

from adapters.process.environment import PREFIX, variable
from adapters.rabbitmq.topology import QUEUES
from cli.commands.relay import GRACE_SECONDS
from cli.settings import NAMES, READERS
from stack.native.places import PROJECT
from tests.events.judge import problems
from tests.stack.commands import check_command
from worker.parts import ALL_PARTS, consumer_of

Manifest = dict[str, Any]
_kubernetes: Any = import_module("kubernetes_validate")  # the package ships no types

FOLDER: Final = PROJECT / "deploy" / "kubernetes"
OLDEST: Final = "1.28"
"""The oldest Kubernetes that the manifests are for; the newest is the validator's."""


def load(path: Path) -> list[Manifest]:
    yaml: Any = YAML(typ="safe")
    return list(yaml.load_all(path))


KUSTOMIZATION: Final = load(FOLDER / "kustomization.yaml")[0]
ALL: Final = [one for name in KUSTOMIZATION["resources"] for one in load(FOLDER / name)]
NAMED: Final = {f"{one['kind']}/{one['metadata']['name']}": one for one in ALL}
PODS: Final = {
    name: one["spec"]["template"]["spec"] for name, one in NAMED.items() if "template" in one.get("spec", {})
}
DEPLOYMENTS: Final = [name for name in PODS if name.startswith("Deployment/")]
CONFIG: Final[dict[str, str]] = NAMED["ConfigMap/calsync"]["data"]

each_manifest = pytest.mark.parametrize("name", NAMED)
each_pod = pytest.mark.parametrize("name", PODS)
each_deployment = pytest.mark.parametrize("name", DEPLOYMENTS)


def of_kind(kind: str) -> list[Manifest]:
    return [one for one in ALL if one["kind"] == kind]


def container(name: str) -> Manifest:
    (one,) = PODS[name]["containers"]
    return cast("Manifest", one)


def component(name: str) -> str:
    return str(NAMED[name]["metadata"]["labels"]["app.kubernetes.io/component"])


def reader(name: str) -> str:
    """Whose settings a pod reads."""
    first = container(name)["args"][0]
    return first if first in READERS else "other commands"


def parts(name: str) -> list[str]:
    words: list[str] = container(name)["args"]
    return words[words.index("--only") + 1].split(",") if words[0] == "worker" else []


def test_every_file_is_applied() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])
    assert len(NAMED) == len(ALL)


@pytest.mark.parametrize("version", [OLDEST, _kubernetes.latest_version()])
@each_manifest
def test_every_manifest_is_valid(name: str, version: str) -> None:
    manifest = NAMED[name]
    if manifest["apiVersion"].startswith("keda.sh/"):
        schema = json.loads((PROJECT / "tests/stack/scaled_object.schema.json").read_text(encoding="utf-8"))
        assert problems(schema)(manifest) == []
    else:
        _kubernetes.validate(manifest, version, strict=True)


def test_a_wrong_manifest_would_be_found() -> None:
    wrong = {**NAMED["Service/calsync-relay"], "spec": {"ports": [{"port": "eighty"}]}}
    with pytest.raises(_kubernetes.ValidationError):
        _kubernetes.validate(wrong, OLDEST, strict=True)


@each_pod
def test_every_command_is_one_that_there_is(name: str) -> None:
    check_command(container(name)["args"])


@each_pod
def test_every_setting_is_one_that_there_is_and_what_must_be_is_given(name: str) -> None:
    given = {one["name"].removesuffix("_FILE") for one in container(name)["env"]} | CONFIG.keys()
    assert {setting.removeprefix(PREFIX).lower() for setting in given} <= NAMES
    fields = READERS[reader(name)].model_fields
    assert {variable(field) for field, how in fields.items() if how.is_required()} <= given


@each_pod
def test_secrets_are_files_that_are_mounted_and_nothing_else(name: str) -> None:
    (mount,) = container(name)["volumeMounts"]
    (volume,) = PODS[name]["volumes"]
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
    wanted = {one["value"] for one in container(name)["env"]}
    assert all(path.startswith(f"{mount['mountPath']}/") for path in wanted)
    told = made_by_hand(volume["secret"]["secretName"])
    assert {path.rpartition("/")[2] for path in wanted} == told


def made_by_hand(secret: str) -> set[str]:
    """The files that the instructions make a secret of."""
    words = (FOLDER / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(rf"create secret generic {secret} (.*)", words)
    return set(re.findall(r"--from-file=(\S+)", line))


def test_no_secret_is_in_the_folder() -> None:
    assert not of_kind("Secret")
    assert not any(word in name for name in CONFIG for word in ("SECRET", "KEY", "PASSWORD"))
    assert not any("@" in value for value in CONFIG.values())


def test_every_part_of_a_worker_runs_in_one_deployment() -> None:
    running = [part for name in DEPLOYMENTS for part in parts(name)]
    assert sorted(running) == sorted(ALL_PARTS)


@each_deployment
def test_what_is_asked_is_where_it_is_served(name: str) -> None:
    one = container(name)
    (port,) = one["ports"]
    words: list[str] = one["args"]
    served = words[words.index("--port") + 1] if "--port" in words else CONFIG["CALSYNC_OPS_PORT"]
    assert port["containerPort"] == int(served)
    for probe, path in [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")]:
        assert one[probe]["httpGet"] == {"path": path, "port": port["name"]}


@each_deployment
def test_a_pod_is_given_the_time_that_it_takes_to_stop(name: str) -> None:
    needed = float(CONFIG["CALSYNC_STOP_SECONDS"]) if parts(name) else GRACE_SECONDS
    assert PODS[name]["terminationGracePeriodSeconds"] >= needed + 10


@each_pod
def test_a_pod_can_do_little_harm(name: str) -> None:
    pod, one = PODS[name], container(name)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert re.search(
        rf"^USER {pod['securityContext']['runAsUser']}:", (PROJECT / "Dockerfile").read_text(), re.MULTILINE
    )
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} == one["resources"]["requests"].keys()
    assert "memory" in one["resources"]["limits"]


@each_deployment
def test_one_of_each_is_always_left(name: str) -> None:
    (budget,) = [one for one in of_kind("PodDisruptionBudget") if selects(one["spec"]["selector"], name)]
    assert budget["spec"]["minAvailable"] < lowest(name)
    assert NAMED[name]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def lowest(name: str) -> int:
    scaled = [one for one in of_kind("ScaledObject") if one["spec"]["scaleTargetRef"]["name"] == name.partition("/")[2]]
    assert ("replicas" in NAMED[name]["spec"]) is not bool(scaled), "one of them says how many there are"
    return int(scaled[0]["spec"]["minReplicaCount"] if scaled else NAMED[name]["spec"]["replicas"])


def selects(selector: Manifest, name: str) -> bool:
    for label, value in selector.get("matchLabels", {}).items():
        if NAMED[name]["spec"]["template"]["metadata"]["labels"][label] != value:
            return False
    return all(component(name) in one["values"] for one in selector.get("matchExpressions", []))


@pytest.mark.parametrize("scaled", of_kind("ScaledObject"), ids=lambda one: one["metadata"]["name"])
def test_what_scales_a_deployment_is_the_queues_that_it_consumes(scaled: Manifest) -> None:
    name = f"Deployment/{scaled['spec']['scaleTargetRef']['name']}"
    asked = {trigger["metadata"]["queueName"] for trigger in scaled["spec"]["triggers"]}
    assert asked == {queue.name for queue in QUEUES if consumer_of(queue.name) in parts(name)}
    for trigger in scaled["spec"]["triggers"]:
        assert f"TriggerAuthentication/{trigger['authenticationRef']['name']}" in NAMED


def test_secrets_that_scaling_needs_are_made() -> None:
    (authentication,) = of_kind("TriggerAuthentication")
    (secret,) = authentication["spec"]["secretTargetRef"]
    assert secret["key"] in made_by_hand(secret["name"])


@each_pod
def test_the_network_lets_a_pod_do_its_work_and_nothing_else(name: str) -> None:
    policies = [one["spec"] for one in of_kind("NetworkPolicy") if selects(one["spec"]["podSelector"], name)]
    assert any(policy["podSelector"] == {} for policy in policies), "what is not allowed is forbidden"
    into = {port["port"] for policy in policies for rule in policy.get("ingress", []) for port in rule["ports"]}
    out = {port["port"] for policy in policies for rule in policy.get("egress", []) for port in rule["ports"]}
    opened = {port["containerPort"] for port in container(name).get("ports", [])}
    assert opened <= into
    assert {53, 5671} <= out
    assert (27017 in out) is (reader(name) != "relay")
    assert (443 in out) is ("commands" in parts(name))


def test_the_relay_is_reached_where_it_listens() -> None:
    (port,) = NAMED["Service/calsync-relay"]["spec"]["ports"]
    assert port["targetPort"] in {one["name"] for one in container("Deployment/calsync-relay")["ports"]}
    assert NAMED["Service/calsync-relay"]["spec"]["selector"] == {"app.kubernetes.io/component": "relay"}
    assert CONFIG["CALSYNC_CRONOFY_CALLBACK_URL"].endswith(str(READERS["relay"].model_fields["relay_prefix"].default))
