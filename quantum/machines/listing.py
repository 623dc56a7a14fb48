"""What there is by name, in lines: what each can do, and whether the extra and the credentials are there."""

from encoding import InputError
from quantum.backends import ALONE
from quantum.machines.abilities import abilities_of
from quantum.machines.account import where_credentials_are
from quantum.machines.names import FORMS, INSTALL, fake_machines, has_extra


def backend_lines(*, account: str | None = None, instance: str | None = None) -> list[str]:
    """What there is by name: what each can do, and whether the extra and the credentials are there.

    Args:
        account: name of a saved one.
        instance: CRN.

    Raises:
        InputError: an account or an instance was named, and cannot be had.
    """
    told = where_credentials_are(account=account, instance=instance)
    lines = [
        f"{form}: {about}" + (f"; {ALONE[form].words()}" if form in ALONE else "") for form, about in FORMS.items()
    ]
    extra = "installed" if has_extra() else f"not installed ({INSTALL}): neither fake nor ibm"
    return [*lines, f"qiskit-ibm-runtime: {extra}", f"credentials: {told}"]


def fake_lines() -> list[str]:
    """The fake machines, and what each can do.

    Raises:
        InputError: qiskit-ibm-runtime is not installed.
    """
    if not has_extra():
        raise InputError(f"fake machines need qiskit-ibm-runtime, which is not installed: {INSTALL}")
    return [f"{name}: {abilities_of(kind().target).words()}" for name, kind in sorted(fake_machines().items())]
