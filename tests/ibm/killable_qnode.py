"""A program with a QNode on a machine, which dies where it is told: loaded once, forked for every try.

    python killable_qnode.py FOLDER     lines on stdin: "KILL_AT"     an exit code for each

KILL_AT counts events as in `killable`; 0: none. What the QNode returned, if it came so far, is in FOLDER/answers.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pennylane as qp
from killable import QUICK, Counter, forked, instrument

from quantum.device.device import QiskitDevice


def program(folder: Path, kill_at: int) -> int:
    """In a child: the same question twice, and a gradient, three jobs."""
    counter = Counter(kill_at)
    instrument(counter)
    limits = {"journal": folder / "jobs.sqlite", "max_seconds": 1e6, "agreed": True}
    device = QiskitDevice(wires=2, backend="ibm:fake_manila", **limits)
    device.books.options["patience"] = QUICK

    @qp.set_shots(16)
    @qp.qnode(device)
    def echo(x):
        qp.RX(x, 0)
        heard = qp.measure(0, reset=True)
        return qp.sample(heard)

    @qp.set_shots(16)
    @qp.qnode(device)
    def height(x):
        qp.RX(x, 0)
        return qp.expval(qp.Z(0))

    slope: Any = qp.gradients.param_shift(height)
    answers = [echo(1.0).tolist(), echo(1.0).tolist(), slope(qp.numpy.array(0.4)).tolist()]
    device.close()
    (folder / "answers").write_text(json.dumps([counter.n, answers]))
    return 0


def main(folder: Path) -> None:
    for module in ("qiskit_aer.primitives", "qiskit_ibm_runtime", "qiskit.transpiler"):
        import_module(module)  # nothing runs here: threads of a transpiler would not be there in a child
    print("ready", flush=True)
    for line in sys.stdin:
        child = forked(lambda kill_at=int(line): program(folder, kill_at))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
