"""IBM's service, opened: a guarded client, and a machine of the instance that is awake.

What goes wrong on the way ends in one line that says what to do, and never shows the key.
"""

import logging
from typing import Any
from urllib.parse import urlsplit

from qiskit.providers.exceptions import QiskitBackendNotFoundError
from qiskit_ibm_runtime import QiskitRuntimeService
from qiskit_ibm_runtime.accounts.exceptions import InvalidAccountError
from qiskit_ibm_runtime.exceptions import IBMInputValueError, IBMNotAuthorizedError
from requests import ConnectionError

from encoding import InputError
from encoding.errors import cut
from quantum.machines.account import Account
from quantum.machines.names import LEAST_BUSY, nearest
from quantum.machines.wire import ServiceFailed, guard

SAID_BY_CLIENT = "Loading account with the given token"  # at every start; `armonica backends` says where the key is
logging.getLogger("qiskit_ibm_runtime.qiskit_runtime_service").addFilter(
    lambda record: SAID_BY_CLIENT not in record.getMessage()
)


class GuardedService(QiskitRuntimeService):
    """The client's service, every connection of which goes by `quantum.machines.wire`."""

    @property
    def _active_api_client(self) -> Any:
        return self.__dict__["_guarded_client"]

    @_active_api_client.setter
    def _active_api_client(self, client: Any) -> None:
        guard(client)  # every client becomes the active one before it asks for anything
        self.__dict__["_guarded_client"] = client


def open_service(account: Account) -> QiskitRuntimeService:
    """The service for one instance.

    Raises:
        InputError: a key that is refused, or that has no access to the instance.
        ServiceFailed: no answer.
    """
    try:
        return GuardedService(
            channel=account.channel,  # pyright: ignore[reportArgumentType]  # the client checks it
            token=account.token,
            url=account.url,
            instance=account.instance,
            **account.route,
        )
    except IBMInputValueError:
        raise InputError(
            f"the key of {account.source} has no access to the instance {account.instance}: a wrong CRN, or the key "
            f"of another account"
        ) from None
    except (InvalidAccountError, IBMNotAuthorizedError) as error:
        if _refused(error):
            raise InputError(f"IBM refuses the key of {account.source}: make a new one on its platform") from None
        raise _failed(account, error.__cause__ or error) from None
    except ValueError as error:
        raise InputError(f"IBM's client: {cut(account.scrubbed(error), 160)}") from None
    except Exception as error:  # of requests, of the SDK, of JSON
        raise _failed(account, error) from None


def open_machine(
    account: Account, machine: str, *, n_qubits: int | None = None, fractional: bool = False, awake: bool = True
) -> Any:
    """A machine of the instance.

    Args:
        account: who asks.
        machine: its name, or "least-busy".
        n_qubits: that it has at least, of "least-busy".
        fractional: whether RZZ by any angle is a gate of its own.
        awake: whether it must take jobs now; what it was given before can be fetched from one that is paused.

    Raises:
        InputError: no such machine, one that is paused and should not be, or one without fractional gates.
        ServiceFailed: no answer.
    """
    service = open_service(account)
    try:
        if machine == LEAST_BUSY:
            found: Any = service.least_busy(min_num_qubits=n_qubits, use_fractional_gates=fractional)
        else:
            _check_known(service, machine)
            found = service.backend(machine, use_fractional_gates=fractional)
        status: Any = found.status()
        found.target  # noqa: B018  # properties are fetched here, where errors end in a line
    except QiskitBackendNotFoundError:
        at_least = f" with {n_qubits} qubits or more" if n_qubits else ""
        raise InputError(f"ibm:{machine}: no machine of the instance{at_least} is online; try later") from None
    except InputError:
        raise
    except IBMInputValueError as error:
        raise InputError(f"ibm:{machine}: {cut(account.scrubbed(error), 160)}") from None
    except Exception as error:
        raise _failed(account, error) from None
    if awake and (not status.operational or status.status_msg != "active"):
        raise InputError(f"ibm:{found.name} takes no jobs now, it is {status.status_msg!r}: ibm:{LEAST_BUSY}, or later")
    return found


def _check_known(service: Any, machine: str) -> None:
    known = [one["name"] for one in service._active_api_client.list_backends()]
    if machine not in known:
        raise InputError(
            f"the instance has no machine {machine}{nearest(machine, known)}; it has {', '.join(known) or 'none'}"
        )


def _refused(error: Exception) -> bool:
    """Whether a server said no; the client calls it an invalid account too when no server answered."""
    cause: Any = error.__cause__  # the SDK's ApiException: `code` was its word, and warns where there is the newer one
    code = cause.status_code if hasattr(cause, "status_code") else getattr(cause, "code", None)
    return isinstance(error, IBMNotAuthorizedError) or code in (400, 401, 403)


def _failed(account: Account, error: BaseException) -> ServiceFailed:
    asked = getattr(getattr(error, "request", None), "url", None)
    nobody = f"no connection to {urlsplit(asked).hostname}: " if asked and isinstance(error, ConnectionError) else ""
    return ServiceFailed(f"IBM's service: {nobody}{type(error).__name__}: {cut(account.scrubbed(error), 200)}")
