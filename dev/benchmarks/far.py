"""Storage that is some milliseconds away: a port for each service that passes everything on, the responses later.

Run as a program, with a port and milliseconds, it writes its own port as its first line, and ends with its input.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def far(storage: str, milliseconds: float) -> Iterator[str]:
    """Give a connection string for the same storage, each of whose responses comes that much later."""
    with ExitStack() as stack:

        def through(match: re.Match[str]) -> str:
            command = [sys.executable, __file__, match[1], str(milliseconds)]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            return f":{stack.enter_context(process).stdout.readline().strip()}/"  # type: ignore[union-attr]

        yield re.sub(r":(\d+)/", through, storage)


async def _pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    while data := await source.read(65_536):
        loop.call_later(seconds, to.write, data)
    loop.call_later(seconds, to.close)


async def _serve(port: int, seconds: float) -> None:
    async def connected(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_pass_on(client, to_server, 0), _pass_on(server, to_client, seconds))

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))
