"""The four files of MNIST (LeCun, Cortes & Burges 1998), fetched once and kept in the cache.

They are not ours to distribute. What comes is taken only if its SHA-256 is the one that is known of the file.
"""

import hashlib
import logging
import os
from pathlib import Path

from encoding.cache import cache_folder
from encoding.errors import InputError
from encoding.files import expanded, replace_file

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist")
SHA256 = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
TIMEOUT = 20  # seconds without an answer
LARGEST = 12_000_000  # bytes; the largest file has 9,912,422

log = logging.getLogger("armonica")


def named_mnist() -> Path | None:
    """The file or folder that ARMONICA_MNIST names; None where it names nothing."""
    named = os.environ.get("ARMONICA_MNIST")
    return expanded(named) if named else None


def fetched_mnist() -> Path:
    """The folder of the four files, in the cache; what is missing there is fetched.

    Raises:
        InputError: a file could not be fetched, or what came is not the one that is known.
    """
    folder = cache_folder() / "mnist"
    for name, wanted in SHA256.items():
        path = folder / name
        if not (path.is_file() and _digest(path.read_bytes()) == wanted):
            content = _fetched(name, wanted)
            folder.mkdir(parents=True, exist_ok=True)
            with replace_file(path) as file:
                file.write(content)
    return folder


def _fetched(name: str, wanted: str) -> bytes:
    """One file, from the first mirror that has it as it should be."""
    from urllib.request import urlopen

    why = []
    for mirror in MIRRORS:
        url = f"{mirror}/{name}"
        log.info("fetching %s", url)
        try:
            with urlopen(url, timeout=TIMEOUT) as answer:
                content = answer.read(LARGEST)
        except Exception as error:  # URLError, HTTPException, TimeoutError, ssl.SSLError ...
            why.append(f"{url}: {error}")
            continue
        if _digest(content) == wanted:
            return content
        why.append(f"{url}: SHA-256 {_digest(content)[:12]}..., expected {wanted[:12]}...")
    raise InputError(
        f"{name} of MNIST could not be fetched ({'; '.join(why)}); name a copy by its path, or by ARMONICA_MNIST, or "
        "take 'small'"
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
