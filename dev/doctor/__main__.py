"""``python -m dev.doctor``: check everything that the app needs."""

import sys

from dev.doctor.command import main

if __name__ == "__main__":
    sys.exit(main())
