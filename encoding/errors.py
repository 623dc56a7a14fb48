"""The one error class for mistakes of the user: one line that says what was expected, what came, what to do."""


class InputError(ValueError):
    """Raised where input from outside (an argument, a file, a run folder) is not what was expected."""
