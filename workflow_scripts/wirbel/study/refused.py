"""The error with which the main process says that it does not start."""


class Refused(Exception):
    """Why nothing was started: what was expected, what was found, and what to do."""
