from __future__ import annotations

import sys
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.cli.conftest import calsync as calsync  # noqa: PLC0414 - stories have commands typed, too
from tests.services import Urls
from tests.stories.stage import Services, Stage, at_work, held_open

collect_ignore = [] if sys.platform == "linux" else ["test_least_privilege.py"]
"""A server that knows its users is a native one."""


@pytest.fixture
def services(service_urls: Urls, vhost: str, database: str) -> Services:
    """A virtual host and a database of the story's own."""
    return Services(vhost, service_urls.mongodb, database)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(
    service_urls: Urls, modules_vhost: str, modules_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Stage]:
    """One stage for all stories of a module, each with users of its own. Mark the module with this loop scope."""
    services = Services(modules_vhost, service_urls.mongodb, modules_database)
    async with held_open(at_work(services, tmp_path_factory.mktemp("stage"))) as opened:
        yield opened
