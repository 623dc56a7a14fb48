"""In which manner circuits are played: twirling and dynamical decoupling, as IBM's sampler offers them.

A twirled gate or measurement stands between random Paulis that cancel, so that what errs coherently errs at random;
decoupling turns idle qubits to and fro. What comes back differs, so the manner is a part of a job's name. Not all can
be had of every circuit, and the client says so only where it makes the job ready: this is tried here, before anything
is written down or sent.
"""

import json
from collections.abc import Sequence
from typing import Any

from qiskit.primitives.containers.sampler_pub import SamplerPub

from encoding import InputError
from encoding.errors import cut, shown
from quantum.machines.calls import shots_of

CHANGING = ("twirling", "dynamical_decoupling", "execution", "experimental")  # options that change what is measured
TWIRLS = ("gates", "measure")
SEQUENCES = ("XX", "XpXm", "XY4")


def asked_manner(twirl: str = "", decouple: str = "") -> dict[str, Any]:
    """Options of IBM's sampler, from two words.

    Args:
        twirl: "gates", "measure", or both with a comma; "": neither.
        decouple: the pulses of dynamical decoupling, "XX", "XpXm" or "XY4"; "": none.

    Raises:
        InputError: another word.

    >>> asked_manner("gates", "XY4")
    {'twirling': {'enable_gates': True}, 'dynamical_decoupling': {'enable': True, 'sequence_type': 'XY4'}}
    """
    words = [word.strip() for word in twirl.split(",")] if twirl else []
    if not set(words) <= set(TWIRLS):
        raise InputError(f"twirled are {', '.join(TWIRLS)}, or both with a comma; got {shown(twirl)}")
    if decouple and decouple not in SEQUENCES:
        raise InputError(f"pulses of dynamical decoupling are {', '.join(SEQUENCES)}; got {shown(decouple)}")
    twirling = {"twirling": {f"enable_{word}": True for word in TWIRLS if word in words}} if words else {}
    pulses = {"enable": True, "sequence_type": decouple}
    return twirling | ({"dynamical_decoupling": pulses} if decouple else {})


def manner_of(options: dict[str, Any]) -> str:
    """What is asked for that changes what is measured, always in the same words; "" where nothing is.

    >>> manner_of({"twirling": {"enable_gates": True, "enable_measure": False}, "max_execution_time": 9})
    'twirling {"enable_gates": true}'
    """
    said = {word: plain(options[word]) for word in CHANGING if options.get(word) is not None}
    if not is_twirled(options):
        said.pop("twirling", None)
    if not is_decoupled(options):
        said.pop("dynamical_decoupling", None)
    kept = {word: {k: v for k, v in part.items() if v not in (None, False, "auto")} for word, part in said.items()}
    return ", ".join(f"{word} {json.dumps(part, sort_keys=True, default=str)}" for word, part in kept.items() if part)


def plain(said: Any) -> dict[str, Any]:
    """Options as a dictionary, however they were given.

    Raises:
        InputError: neither a dictionary nor options of the client's.
    """
    if isinstance(said, dict):
        return said
    if hasattr(said, "model_dump"):  # of the newer client's options
        return said.model_dump()
    if not hasattr(said, "__dict__"):
        raise InputError(f"options of IBM's sampler are dictionaries; got {shown(said)}")
    return {word: value for word, value in vars(said).items() if isinstance(value, bool | int | float | str)}


def is_twirled(options: dict[str, Any]) -> bool:
    """Whether gates or measurements are twirled."""
    said = plain(options.get("twirling") or {})
    return said.get("enable_gates") is True or said.get("enable_measure") is True


def is_decoupled(options: dict[str, Any]) -> bool:
    """Whether idle qubits are turned to and fro."""
    return plain(options.get("dynamical_decoupling") or {}).get("enable") is True


def check_local(name: str, options: dict[str, Any], program: str) -> None:
    """Refuse what the local testing mode of the older sampler would leave out without a word.

    Raises:
        InputError: twirling or decoupling, by the older program.
    """
    if program == "sampler" and manner_of(options):
        raise InputError(f"{name} by the older program leaves out {manner_of(options)}: take program executor")


def check_manner(pubs: Sequence[SamplerPub], options: dict[str, Any], name: str, machine: Any, program: str) -> None:
    """Refuse circuits that cannot be twirled or decoupled: IBM's client is asked to make them ready, and sends nothing.

    Raises:
        InputError: shots that twirling would round up, or circuits that the client does not make ready.
    """
    if is_twirled(options):
        for pub in pubs:
            _check_shots(shots_of(pub), plain(options["twirling"]))
    if program != "executor" or not (is_twirled(options) or is_decoupled(options)):
        return  # of the older program this is known at the machine alone
    try:
        from qiskit_ibm_runtime.executor_sampler import Sampler
        from qiskit_ibm_runtime.executor_sampler.prepare import prepare
    except ImportError:  # a client before 0.46 has the older program alone
        return
    try:
        prepare(pubs, Sampler(machine, options).options, backend=machine)
    except Exception as error:  # of samplomatic, of the transpiler, of the client
        said = cut(f"{type(error).__name__}: {getattr(error, 'message', error)}", 120)
        raise InputError(f"{name} cannot play the circuit with {manner_of(options)}: IBM's client: {said}") from None


def _check_shots(shots: int, said: dict[str, Any]) -> None:
    """Twirled circuits share the shots out evenly, and round them up."""
    n, each = said.get("num_randomizations", "auto"), said.get("shots_per_randomization", "auto")
    each = each if each != "auto" else max(64, -(-shots // 32)) if n == "auto" else -(-shots // n)
    total = each * (n if n != "auto" else -(-shots // each))
    if total != shots:
        raise InputError(f"twirling shares {shots} shots out as {total // each} times {each}: ask for {total} shots")
