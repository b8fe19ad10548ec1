"""The control API as typed calls, for tests and demonstrations."""

from sandbox.psa.client.calls import ControlRefused
from sandbox.psa.client.items import PsaItem
from sandbox.psa.client.psa import PsaControl, psa_control

__all__ = ["ControlRefused", "PsaControl", "PsaItem", "psa_control"]
