"""The one exception that the lab raises for what went wrong in a way a person can act on."""


class LabError(Exception):
    """A message of one line that says what was being done, where, and what happened."""
