"""The database, for a command of an operator."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

from adapters.mongodb.driver import Database, open_database
from worker.settings import Store


@contextlib.asynccontextmanager
async def opened_database(settings: Store) -> AsyncGenerator[Database, None]:
    """Open it for as long as the command works."""
    async with open_database(settings.mongodb_driver, settings.store_url, settings.mongodb_database) as database:
        yield database
