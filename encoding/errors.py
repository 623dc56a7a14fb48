"""The one error class for mistakes of the user: one line that says what was expected, what came, what to do."""


class InputError(ValueError):
    """Raised where input from outside (an argument, a file, a run folder) is not what was expected."""


def why_unread(error: BaseException) -> str:
    """Why a file of arrays cannot be read: numpy, where it finds none, advises to load it without care."""
    text = " ".join(str(error).split())
    return "it is no file of arrays" if "pickle" in text else text or type(error).__name__


def shown(value: object, most: int = 60) -> str:
    """What came, for the end of such a line: one line, not too long, whatever it is; of a large array kind and shape.

    >>> import numpy as np
    >>> shown([1, 2]), shown([0] * 100, 12), shown(np.zeros((9, 9)))
    ('[1, 2]', '[0, 0, 0,...', 'float64 (9, 9)')
    """
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a number of thousands of digits, or somebody's object
        text = f"a {type(value).__name__}"
    if len(text) <= most:
        return text
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and shape and dtype is not None:
        text = f"{dtype} {tuple(shape)}"
    return text if len(text) <= most else f"{text[: most - 3]}..."


def cut(text: object, most: int) -> str:
    """What others said, in one line that is not too long and ends with a whole word.

    >>> cut("Failed to establish a new connection", 24), cut("two   words", 24)
    ('Failed to establish ...', 'two words')
    """
    line = " ".join(str(text).split())
    if len(line) <= most:
        return line
    whole = line[: most - 3].rsplit(" ", 1)[0]  # " ..." follows; a word that is longer than all of it is cut
    return f"{whole} ..." if len(whole) < most - 3 else f"{whole}..."


def counted(n: int, what: str) -> str:
    """So many of something, in words.

    >>> counted(1, "job"), counted(0, "job"), counted(12, "qubit")
    ('1 job', '0 jobs', '12 qubits')
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
