"""What the page for operators claims of the code."""

from __future__ import annotations

import re
from typing import Final

from adapters.mongodb.indexes import INDEXES
from adapters.rabbitmq.topology import QUEUES
from cli.settings import NAMES
from stack.native.places import PROJECT
from worker.parts import Part

PAGE: Final = (PROJECT / "docs/operating.md").read_text(encoding="utf-8")
SHARDED: Final = dict(re.findall(r'^sh\.shardCollection\("calsync\.(\w+)", \{(\w+): "hashed"\}\)$', PAGE, re.MULTILINE))


def test_collections_can_be_sharded_as_the_page_says() -> None:
    """A unique index that does not begin with the shard key would be refused."""
    assert SHARDED == {"integrations": "_id", "links": "integration_id", "sync_log": "integration_id"}
    assert not any(index.document.get("unique") for name in SHARDED for index in INDEXES[name])


def test_settings_queues_runbooks_and_parts_on_the_page_are_those_that_there_are() -> None:
    assert set(re.findall(r"CALSYNC_(\w+)", PAGE)) <= {name.upper() for name in NAMES}
    assert set(re.findall(r"`(calsync\.[a-z-]+\.v\d)`", PAGE)) <= {queue.name for queue in QUEUES}
    for runbook in re.findall(r"`(Calsync\w+)`", PAGE):
        assert (PROJECT / f"docs/runbooks/{runbook}.md").is_file(), runbook
    for parts in re.findall(r"--only ([a-z,-]+)", PAGE):
        assert {Part(part) for part in parts.split(",")}
    assert {part for parts in re.findall(r"--only ([a-z,-]+)", PAGE) for part in parts.split(",")} == set(Part)
