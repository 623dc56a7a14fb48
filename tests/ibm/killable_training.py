"""A process that learns on a machine and dies where it is told: loaded once, forked for every try.

    python killable_training.py     lines of JSON on stdin: {"words": [BACKEND, RUN, JOURNAL, SEED, KILL_AT],
                                    "environment": {...}}, an exit code for each

KILL_AT counts events as in `killable`, and before and after every file that is put in place; 0: none.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from killable import QUICK, Counter, forked, instrument

from encoding import files
from experiments import hardware_training
from experiments.store import load_run
from experiments.trained import Training
from quantum.jobs import Journal

N_STEPS = 2


class Renaming:
    """`os`, whose `replace` is an event."""

    def __init__(self, counter: Counter) -> None:
        self.replace = counter.around(os.replace)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def learn(environment: dict[str, str], backend: str, folder: str, path: str, seed: int, kill_at: int) -> int:
    """In a child: the whole training, from wherever it stands."""
    os.environ.update(environment)
    run, counter = load_run(folder), Counter(kill_at)
    asked = Training(backend, "spsa", 16, 0.1, seed=seed)
    instrument(counter)
    module: Any = files
    module.os = Renaming(counter)
    with Journal(path) as journal:
        options = {"agreed": True, "most_seconds": 1e6, "patience": QUICK, "told": lambda line: None}
        hardware_training.train(run, asked, journal, steps=N_STEPS, **options)
    Path(path).with_suffix(".events").write_text(str(counter.n))
    return 0


def main() -> None:
    for module in ("qiskit_aer.primitives", "qiskit_ibm_runtime", "qiskit.transpiler"):
        import_module(module)  # nothing runs here: threads of a transpiler would not be there in a child
    print("ready", flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        child = forked(lambda told=told: learn(told["environment"], *told["words"]))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
