"""The command `armonica`: its verbs stand in `experiments.commands`, the work elsewhere.

Mistakes of the user end in one line and exit code 2; anything else is a bug and keeps its traceback. Imports sit inside
the verbs, so that `armonica --help` is quick and threads are set before a library counts the cores.
"""

from experiments import interrupts

if __name__ == "__main__" or interrupts.is_command():
    interrupts.listen()

import io
import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from experiments.commands.comparing import compare
from experiments.commands.making import learn, stability, sweep
from experiments.commands.options import say
from experiments.commands.sending import cancel, collect, jobs, submit, train
from experiments.commands.showing import audit, backends, data, listen, plot, systems

app = typer.Typer(
    help="Recurrent networks learn Bach's chorales: learning curves, learning times, aging, music.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)

STOPPED_LINE = interrupts.SAID.removeprefix("armonica: ")
UsageError: Any = typer.BadParameter.__bases__[0]  # typer carries its own click, and does not name this class
STOPPED = (130, 143)  # exit codes after SIGINT and SIGTERM
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@app.callback(invoke_without_command=True)
def _greet(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Say which armonica this is.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        say(f"armonica {installed('armonica')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        say(context.get_help())


for _verb in (
    learn,
    plot,
    listen,
    data,
    stability,
    sweep,
    compare,
    systems,
    audit,
    backends,
    submit,
    jobs,
    collect,
    cancel,
    train,
):
    app.command()(_verb)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit code 0, 2 for a mistake of the user's or the disk's, 130 or 143 when stopped."""
    os.environ.update(dict.fromkeys(LIBRARIES, "1"))  # they are told before the first of them is loaded
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no τ
    before = interrupts.listen()
    try:
        code = _run(arguments)
        if code in STOPPED:
            interrupts.deafen()
            _complain(STOPPED_LINE, code)
    except KeyboardInterrupt:
        interrupts.deafen()
        code = _complain(STOPPED_LINE, STOPPED[0])
    if arguments is None:
        interrupts.deafen()  # the process ends: nothing is left to be stopped
    elif before is not None:
        signal.signal(signal.SIGINT, before)
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    """What the words ask for; its exit code, with one line where they were mistaken."""
    from encoding.errors import InputError

    try:
        code = app(args=arguments, standalone_mode=False)
    except UsageError as error:
        code = _complain(f"{error.format_message()} (armonica --help says what there is)")
    except InputError as error:
        code = _complain(str(error))
    except (FileExistsError, NotADirectoryError) as error:
        code = _complain(f"{error.filename}: a folder is wanted there, and a file is in its place: name another one")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        code = _complain(f"{where}{error.strerror or error}")
    except typer.Abort as error:
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None  # nothing is read from a terminal: no user's stop, but a bug
        code = STOPPED[0]
    except (MemoryError, RuntimeError) as error:
        code = _out_of_memory(error)
    return code if isinstance(code, int) else 0


def _out_of_memory(error: Exception) -> int:
    from encoding.memory import ran_out

    if not ran_out(error):
        raise error
    return _complain(f"there is not enough memory ({error}): ask for fewer replicas, or a smaller size")


def _complain(message: str, code: int = 2) -> int:
    line = "".join(letter if letter.isprintable() else " " for letter in " ".join(message.split()))
    print(f"armonica: {line}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    main()
