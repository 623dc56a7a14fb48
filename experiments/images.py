"""Which handwritten digits a Task learns from."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from encoding import InputError
from encoding.digits import Digits, load_digits
from encoding.errors import shown
from encoding.files import expanded

NAMES = ("small", "mnist", "download")


@dataclass(frozen=True)
class Images:
    """Which digits: the argument of `encoding.digits.load_digits`, by default those that need no file."""

    source: str = "small"

    def __post_init__(self) -> None:
        """A file or folder is named by its full path: the run can be gone on with from any folder."""
        if not isinstance(self.source, str | Path):
            raise InputError(f"digits are named by {', '.join(NAMES)}, or a path; got {shown(self.source)}")
        path = expanded(self.source)
        named = str(self.source) not in NAMES and path.exists()
        object.__setattr__(self, "source", str(path.resolve() if named else path))

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process loads the digits itself: 55 MB are not sent along with every run of a sweep."""
        return Images, (self.source,)

    @cached_property
    def digits(self) -> Digits:
        """The digits as they were when first asked for."""
        return load_digits(self.source)
