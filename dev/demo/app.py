"""The app as the demo runs it: ``dev.host``, which ends with the demo, however that ended.

The demo holds the other end of standard input; the operating system closes it when the demo is gone, killed or not.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from dev.host import command as host


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    sys.exit(host.main())
