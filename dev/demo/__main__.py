"""``python -m dev.demo``: see the uses of the app on this machine alone."""

import argparse
import sys

from dev.demo.command import main

if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m dev.demo", description="Shows the uses of the app. DEMO_EXIT=1 ends it after the last one."
    ).parse_args()
    sys.exit(main())
