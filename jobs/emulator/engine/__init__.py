"""The genuine Pulumi engine: found, installed by Pulumi's installer, or built from its Go modules.

No Python package carries Pulumi's command line, and its installer downloads from a site that a
closed network does not reach. The Go modules in `cli/` and `language/` pin what is built then.
"""

from jobs.emulator.engine.found import Engine, find
from jobs.emulator.engine.making import EngineUnavailable, ensure

__all__ = ["Engine", "EngineUnavailable", "ensure", "find"]
