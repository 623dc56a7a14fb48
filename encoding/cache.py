"""Where things are kept that can be made again: the user's cache folder."""

import os
from pathlib import Path

from encoding.files import expanded


def cache_folder() -> Path:
    """The folder named by ARMONICA_CACHE, else the one the operating system has for caches."""
    named = os.environ.get("ARMONICA_CACHE")
    if named:
        return expanded(named)
    from platformdirs import user_cache_dir

    return Path(user_cache_dir("armonica", appauthor=False))
