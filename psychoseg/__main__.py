"""``psychoseg`` and ``python -m psychoseg`` are the command line."""

import sys

from psychoseg.stopping import listen_early


def start() -> int:
    """Run the command line; a request to end is heard from the first moment on."""
    listen_early()
    from psychoseg.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(start())
