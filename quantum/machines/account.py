"""Who asks IBM for time: the key, and the instance that is charged.

The key comes from the environment (QISKIT_IBM_TOKEN, with _INSTANCE, _URL and _CHANNEL), or from an account that
`QiskitRuntimeService.save_account` wrote down. The instance is named by its CRN, always: without one the client takes
one by itself, those that cost nothing first, then those that are paid for. The key is never logged, stored or shown.
"""

import json
import logging
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from encoding import InputError

TOKEN, INSTANCE = "QISKIT_IBM_TOKEN", "QISKIT_IBM_INSTANCE"
URL, CHANNEL = "QISKIT_IBM_URL", "QISKIT_IBM_CHANNEL"
PLATFORM = "ibm_quantum_platform"
DEFAULTS = ("default-ibm-quantum-platform", "default-ibm-cloud", "default")  # as the client names them
READABLE = stat.S_IRWXG | stat.S_IRWXO
logger = logging.getLogger("armonica")


@dataclass(frozen=True)
class Account:
    """A key and what it opens.

    Attributes:
        token: the key; no repr shows it.
        instance: CRN of the instance that is charged.
        url: of the platform; None: IBM's own.
        channel: "ibm_quantum_platform" or "ibm_cloud".
        source: where the key was found.
        route: proxies, verify and private_endpoint, as they were saved.
    """

    token: str = field(repr=False)
    instance: str
    url: str | None
    channel: str
    source: str
    route: dict[str, Any] = field(default_factory=dict, repr=False)

    def scrubbed(self, text: object) -> str:
        """A text in one line, without the key."""
        return " ".join(str(text).replace(self.token, "[key]").split())


def find_account(*, account: str | None = None, instance: str | None = None) -> Account:
    """The account that the environment or the saved file has.

    Args:
        account: name of a saved one; None: the environment, else the default one of the file.
        instance: CRN; None: QISKIT_IBM_INSTANCE, or what was saved; of a named account what was saved comes first.

    Raises:
        InputError: no key, no CRN, or a file that cannot be read.
    """
    here = {} if account else _of_environment()
    found, source = (here, "the environment") if here else _of_file(account)
    environment = os.environ.get(INSTANCE)  # beside a named account it is the instance of another
    crn = instance or (found.get("instance") or environment if account else environment or found.get("instance"))
    token = found.get("token")
    if not isinstance(token, str) or not token or len(token.split()) != 1:
        raise InputError(f"the key of {source} is no key: one word is expected")
    if not isinstance(crn, str) or not crn.startswith("crn:"):
        what = "nothing" if not crn else "a name" if isinstance(crn, str) else "no text"
        raise InputError(
            f"the instance that is charged is named by its CRN, crn:v1:... ({INSTANCE}, or --instance), lest the "
            f"client choose one that is paid for; got {what}"
        )
    route = {word: found[word] for word in ("proxies", "verify", "private_endpoint") if word in found}
    return Account(token, crn, found.get("url"), found.get("channel") or PLATFORM, source, route)


def where_credentials_are(*, account: str | None = None, instance: str | None = None) -> str:
    """In words, without the key: where a key would be taken from, or that there is none.

    Args:
        account: name of a saved one.
        instance: CRN.

    Raises:
        InputError: an account or an instance was named, and cannot be had.
    """
    try:
        found = find_account(account=account, instance=instance)
    except InputError as error:
        if account or instance:
            raise
        return str(error)
    return f"a key in {found.source}, and the CRN of an instance"


def saved_accounts() -> Path:
    """The file of IBM's client."""
    return Path.home() / ".qiskit" / "qiskit-ibm.json"


def _of_environment() -> dict[str, Any]:
    token = os.environ.get(TOKEN)
    if not token:
        return {}
    return {"token": token, "url": os.environ.get(URL), "channel": os.environ.get(CHANNEL)}


def _of_file(name: str | None) -> tuple[dict[str, Any], str]:
    path = saved_accounts()
    try:
        text = path.read_text(encoding="utf-8")
        accounts = json.loads(text)
    except FileNotFoundError:
        raise InputError(
            f"no credentials of IBM's: {TOKEN} and {INSTANCE} are to be set, or an account saved by "
            "QiskitRuntimeService.save_account; without an account --backend fake:FakeTorino tells the price"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as accounts: {type(error).__name__}") from None
    _warn_if_readable(path)
    if not isinstance(accounts, dict) or not all(isinstance(one, dict) for one in accounts.values()):
        raise InputError(f"{path} is no file of accounts")
    chosen = name if name is not None else _default(accounts)
    if chosen not in accounts:
        raise InputError(
            f"{path} has the accounts {', '.join(accounts) or 'none'}; say which one: account=NAME, --account NAME"
        )
    return accounts[chosen], f"account {chosen!r} of {path}"


def _default(accounts: dict[str, Any]) -> str | None:
    """The one marked so, one of the client's default names, or the only one."""
    marked = [name for name, one in accounts.items() if one.get("is_default_account")]
    named = [name for name in DEFAULTS if name in accounts]
    return next(iter([*marked, *named, *(accounts if len(accounts) == 1 else ())]), None)


def _warn_if_readable(path: Path) -> None:
    """The client writes the key as plain text that everybody may read."""
    if os.name != "nt" and path.stat().st_mode & READABLE:
        logger.warning("%s holds a key of IBM's, and others on this machine can read it: chmod 600 %s", path, path)
