// Ends this Node.js process when the one that started it is gone, however it went: the operating system closes
// the other end of standard input then. Loaded with `node --require`.
"use strict";

const SECONDS_TO_FINISH = 5;

function finish() {
  process.kill(process.pid, "SIGTERM");
  setTimeout(() => process.exit(1), SECONDS_TO_FINISH * 1000).unref();
}

process.stdin.on("end", finish);
process.stdin.on("error", finish);
process.stdin.resume();
// Watching must not keep the program alive once it is done.
process.stdin.unref();
