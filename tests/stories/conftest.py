from __future__ import annotations

import sys

import pytest

from tests.services import Urls
from tests.stories.stage import Services

collect_ignore = [] if sys.platform == "linux" else ["test_least_privilege.py"]
"""A server that knows its users is a native one."""


@pytest.fixture
def services(service_urls: Urls, vhost: str, database: str) -> Services:
    """A virtual host and a database of the story's own."""
    return Services(vhost, service_urls.mongodb, database)
