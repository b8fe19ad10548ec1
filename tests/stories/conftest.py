from __future__ import annotations

import pytest

from tests.services import Urls
from tests.stories.stage import Services


@pytest.fixture
def services(service_urls: Urls, vhost: str, database: str) -> Services:
    """A virtual host and a database of the story's own."""
    return Services(vhost, service_urls.mongodb, database)
