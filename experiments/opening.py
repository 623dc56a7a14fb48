"""The backend that jobs are handed in to, and what is said where an account is of no use.

Apart from what plays circuits on it: to look at a job or to end one takes neither a network nor torch.
"""

from typing import Any

from encoding import InputError
from quantum.backends import Backend, backend_named
from quantum.machines.names import read_name

SEED = 0  # of simulators; a machine takes none


def opened(name: str, *, awake: bool = True, account: str = "", instance: str = "", **options: Any) -> Backend:
    """The backend; simulators repeat themselves.

    Args:
        name: of the backend.
        awake: whether it is to take jobs: what is fetched or cancelled asks for no machine that is awake.
        account: a saved one of IBM's; "": the environment's, or the default one.
        instance: CRN; "": the account's.
        options: of the backend.

    Raises:
        InputError: an account, an instance or a batch where there is none; see `quantum.backend_named`.
    """
    if read_name(name).kind == "ibm":
        return backend_named(name, awake=awake, account=account or None, instance=instance or None, **options)
    if awake and (account or instance or "mode" in options):
        what = "an account" if account else "an instance" if instance else "a batch"
        raise InputError(f"{name} is on this computer, and has no use for {what}: leave it out, or take ibm:NAME")
    return backend_named(name, seed=SEED, **options)


def unused(account: str, instance: str) -> str:
    """What is said where nothing is asked of IBM's service.

    >>> unused("ours", "")
    '--account is not used: nothing here is asked of IBM'
    """
    said = [f"--{word}" for word, value in (("account", account), ("instance", instance)) if value]
    return f"{' and '.join(said)} {'are' if len(said) > 1 else 'is'} not used: nothing here is asked of IBM"
