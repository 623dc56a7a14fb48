"""Ctrl-C at any moment ends the command in one line and exit code 130; loaded before anything slow is."""

import os
import signal
import sys
from types import FrameType
from typing import Any

INTERRUPTED = 128 + signal.SIGINT
SAID = "armonica: stopped; the same command goes on from what is saved"


def interrupt(number: int, frame: FrameType | None) -> None:
    """Ctrl-C outside of learning: the process ends here while it only loads libraries, else by a KeyboardInterrupt.

    In the middle of an import an exception would end in the hands of whoever is being imported.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            os.write(2, f"{SAID}\n".encode())
            os._exit(INTERRUPTED)
        frame = frame.f_back
    raise KeyboardInterrupt


def listen() -> Any:
    """Let Ctrl-C mean `interrupt`; what it meant before, to be given to `signal.signal`. Nothing in another thread."""
    try:
        return signal.signal(signal.SIGINT, interrupt)
    except ValueError:
        return None


def deafen() -> None:
    """No further Ctrl-C: the process is ending."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:
        pass


def is_command() -> bool:
    """Whether this process was started as `armonica`."""
    return os.path.basename(sys.argv[0] if sys.argv else "").partition(".")[0] == "armonica"
