"""The one place where the stack reads the environment."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from pydantic_settings import BaseSettings, SettingsConfigDict

from stack.services import ServiceName


class GivenUrls(BaseSettings):
    """Services that exist already. An empty URL: start one."""

    model_config = SettingsConfigDict(env_prefix="CALSYNC_", frozen=True)

    rabbitmq_url: str = ""
    rabbitmq_management_url: str = ""
    mongodb_url: str = ""

    def lacking(self) -> list[ServiceName]:
        """Which services have to be started."""
        urls: dict[ServiceName, str] = {"rabbitmq": self.rabbitmq_url, "mongodb": self.mongodb_url}
        return [name for name, url in urls.items() if not url]

    def management_url(self) -> str:
        """Where the HTTP API of the given RabbitMQ is: as set, else on the same host at the usual port."""
        if self.rabbitmq_management_url:
            return self.rabbitmq_management_url
        parts = urlsplit(self.rabbitmq_url)
        scheme, port = ("https", 15671) if parts.scheme == "amqps" else ("http", 15672)
        user, _, _ = parts.netloc.rpartition("@")
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        return urlunsplit((scheme, f"{user or 'guest:guest'}@{host}:{port}", "", "", ""))
