"""What each user may do is printed as well, for those who make users by other means."""

from __future__ import annotations

import shlex

from adapters.mongodb import access as in_store
from adapters.rabbitmq import access as on_broker
from events.roles import Role


def test_the_script_for_the_broker_makes_every_user_with_its_rights() -> None:
    lines = [shlex.split(line) for line in on_broker.commands("cal sync") if not line.startswith("#")]
    assert lines[0] == ["rabbitmqctl", "add_vhost", "cal sync"]
    assert [line[2] for line in lines if line[1] == "add_user"] == [role.user for role in Role]
    (worker,) = [line for line in lines if line[1] == "set_permissions" and line[4] == "calsync-worker"]
    rights = on_broker.RIGHTS[Role.WORKER]
    assert worker[2:] == ["--vhost", "cal sync", "calsync-worker", rights.configure, rights.write, rights.read]


def test_the_script_for_the_store_makes_every_user_with_its_role_and_no_password() -> None:
    script = list(in_store.commands("calsync"))
    for role in in_store.ACTIONS:
        assert f'db.createUser({{user: "{role.user}", pwd: passwordPrompt(), roles: ["{role.user}"]}})' in script
        (made,) = [line for line in script if line.startswith(f'db.createRole({{"role": "{role.user}"')]
        assert all(f'"{action}"' in made for actions in in_store.ACTIONS[role].values() for action in actions)


def test_nobody_may_delete_or_make_users() -> None:
    all_actions = {action for given in in_store.ACTIONS.values() for actions in given.values() for action in actions}
    assert not {"remove", "dropCollection", "dropDatabase", "dropIndex", "createUser", "grantRole"} & all_actions
    for rights in on_broker.RIGHTS.values():
        assert ".*" not in {rights.configure, rights.write, rights.read}
        assert "administrator" not in rights.tags
