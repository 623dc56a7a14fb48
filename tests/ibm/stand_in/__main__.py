"""The stand-in as a process of its own, for tests that kill processes.

    STAND_IN_KEY=... PYTHONPATH=tests/ibm python -m stand_in --port-file FILE [--state FILE] [--port N] [--machines A,B]
                                                             [--queued S] [--running S]

The key comes by the environment: no file and no command line holds it. FILE appears once the server listens, with its
port, its environment and its instance in JSON. SIGTERM ends it. With --state, jobs are found by the next one.
"""

import argparse
import json
import os
import signal
import threading
from pathlib import Path

from stand_in.server import MACHINES, Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="stand_in")
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--machines", default=",".join(MACHINES))
    parser.add_argument("--queued", type=float, default=0.0)
    parser.add_argument("--running", type=float, default=0.0)
    asked = parser.parse_args()
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    machines = asked.machines.split(",")
    with Server(key=os.environ["STAND_IN_KEY"], state=asked.state, machines=machines, port=asked.port) as server:
        server.delays.queued, server.delays.running = asked.queued, asked.running
        _announce(server, asked.port_file)
        over.wait()


def _announce(server: Server, path: Path) -> None:
    told = {"port": server.port, "environment": server.environment(), "instance": server.instance}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(told), encoding="utf-8")
    part.replace(path)  # whoever waits for the file finds all of it


if __name__ == "__main__":
    main()
