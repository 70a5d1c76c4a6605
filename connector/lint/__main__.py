"""``python -m connector.lint FILE...``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from connector.lint.run import RULES, lint_files


def main() -> int:
    """Print what is found; 1 where that is anything, 2 where a file can't be read."""
    parser = argparse.ArgumentParser(prog="python -m connector.lint", description="Lint a connector's files.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files = parser.parse_args().files
    try:
        findings = list(lint_files(files))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    sys.stdout.write(f"{len(findings)} findings, {len(RULES)} rules, {len(files)} files\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
