"""How the main process says that it does not start."""


class Refused(Exception):
    """Why nothing is started; says what was expected, what came, and what to do."""
