"""``python -m dev.host``: run the app on this machine's own Functions host."""

import sys

from dev.host.command import main

if __name__ == "__main__":
    sys.exit(main())
