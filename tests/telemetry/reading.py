"""Reading metrics as Prometheus reads them."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from adapters.telemetry import metrics


@dataclass(frozen=True)
class Shown:
    """What a scrape showed."""

    samples: dict[tuple[str, frozenset[tuple[str, str]]], float]

    @classmethod
    def of(cls, exposition: bytes | str) -> Shown:
        text = exposition if isinstance(exposition, str) else exposition.decode()
        return cls({
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        })

    def __call__(self, name: str, **labels: str) -> float:
        """Return the sum of what has this name and at least these labels."""
        return sum(
            value for (found, having), value in self.samples.items() if found == name and having >= labels.items()
        )

    def has(self, name: str, **labels: str) -> bool:
        return any(found == name and having >= labels.items() for found, having in self.samples)


def now() -> Shown:
    """Return what this process has counted."""
    return Shown.of(metrics.exposition())
