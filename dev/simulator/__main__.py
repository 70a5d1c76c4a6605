"""``python -m dev.simulator``: see ``--help``."""

from __future__ import annotations

import sys

from dev.simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
