"""Memory: kept and left unsearched by a process that soon ends, as a command does."""

import gc

# New objects between two searches. By default it is 700, and the thousands of specs, entries and
# lines that are needed until the end are searched again and again.
_COLLECTED_AFTER = 1_000_000
# The C library gives pieces larger than the largest that was freed so far back to the system at
# once, and the next piece of a file would be mapped page by page again: a fifth of the reading.
# https://man7.org/linux/man-pages/man3/mallopt.3.html (M_MMAP_THRESHOLD; 32 MiB is its end)
_KEPT = 30 << 20  # bytes


def generous() -> None:
    """For this process, from now on."""
    gc.set_threshold(_COLLECTED_AFTER)
    bytes(_KEPT)
