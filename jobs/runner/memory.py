"""Garbage: what a command leaves behind is looked for rarely, for a command soon ends."""

import gc

# New objects between two searches. By default it is 700, and the thousands of specs, entries and
# lines that are needed until the end are searched again and again.
_COLLECTED_AFTER = 1_000_000


def seldom() -> None:
    """For this process, from now on."""
    gc.set_threshold(_COLLECTED_AFTER)
