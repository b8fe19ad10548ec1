"""`python -m stack`: keep RabbitMQ and MongoDB up until Ctrl-C. `python -m stack prepare`: only fetch all there is."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Sequence

from stack.failures import EXIT_CODE, Unavailable
from stack.opening import open_stack, prepare
from stack.programs import prepare_programs


def main(arguments: Sequence[str]) -> int:
    """Return the exit code."""
    try:
        if arguments == ["prepare"]:
            prepare()
            prepare_programs()
        else:
            _keep_until_asked_to_end()
    except Unavailable as failure:
        sys.stderr.write(f"{failure}\n")
        return EXIT_CODE
    return 0


def _keep_until_asked_to_end() -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), open_stack() as services:
        sys.stdout.write(
            f"CALSYNC_RABBITMQ_URL={services.rabbitmq_url}\n"
            f"CALSYNC_RABBITMQ_MANAGEMENT_URL={services.rabbitmq_management_url}\n"
            f"CALSYNC_MONGODB_URL={services.mongodb_url}\n"
        )
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
