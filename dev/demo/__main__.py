"""``python -m dev.demo``: see the uses of the app on this machine alone."""

import sys

from dev.demo.command import main

if __name__ == "__main__":
    sys.exit(main())
