"""Processor: what the machine's can do that decides how the model is kept."""

from functools import cache
from pathlib import Path

_ABOUT = Path("/proc/cpuinfo")
_SIGNS = {"avx512_bf16", "amx_bf16"}  # x86; elsewhere XLA would convert each factor first


@cache
def multiplies_half_precision() -> bool:
    """Whether it has instructions for bfloat16; decided by its kind, never by a measurement."""
    try:
        text = _ABOUT.read_text("utf-8")
    except OSError:
        return False
    return can(text)


def can(about: str) -> bool:
    """Whether the flags of the first processor name such instructions."""
    flags = next((line for line in about.splitlines() if line.startswith("flags")), "")
    return bool(_SIGNS & {*flags.split()})
