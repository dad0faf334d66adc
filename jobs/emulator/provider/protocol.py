"""Protocol: Pulumi's generated messages and the text that stands for what is not known yet."""

import sys
from importlib.util import find_spec
from types import ModuleType

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # `pulumi.runtime.rpc.UNKNOWN`


def skip_the_sdk() -> None:
    """Let `pulumi.runtime.proto` be imported without the packages around it.

    Those import the whole SDK: most of a second, before each preview and each update.
    """
    for package in ("pulumi", "pulumi.runtime"):
        spec = find_spec(package)
        assert spec, f"{package} is not installed"
        empty = ModuleType(package)
        empty.__path__ = list(spec.submodule_search_locations or ())
        sys.modules[package] = empty
