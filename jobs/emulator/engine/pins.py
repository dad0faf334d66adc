"""The pins of a built engine: versions and digest, read from the Go modules beside this file."""

import hashlib
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Module:
    """One Go module of ours, whose `tool` line names the main package to build."""

    folder: Path

    @property
    def name(self) -> str:
        return self.package.rsplit("/", 1)[-1]

    @property
    def package(self) -> str:
        return self._directive("tool")

    @property
    def go(self) -> Version:
        return version_of(self._directive("go"))

    def version_of(self, module: str) -> str:
        """The required version of a module, such as `v3.259.0`."""
        return self._directive(re.escape(module))

    def _directive(self, word: str) -> str:
        text = (self.folder / "go.mod").read_text()
        match = re.search(rf"^\s*(?:require )?{word} (\S+)", text, re.MULTILINE)
        if match is None:
            raise ValueError(f"{self.folder / 'go.mod'} has no line {word!r}")
        return match[1]


CLI = Module(HERE / "cli")
LANGUAGE = Module(HERE / "language")
SDK = "github.com/pulumi/pulumi/sdk/v3"


def digest() -> str:
    """What a stamp must say for an engine in the clone to be the pinned one for this machine."""
    total = hashlib.sha256(f"{sys.platform} {platform.machine()}".encode())
    for module in (CLI, LANGUAGE):
        for name in ("go.mod", "go.sum"):
            total.update((module.folder / name).read_bytes())
    return total.hexdigest()


def version_of(text: str) -> Version:
    """The first version in a text: `go version go1.26.8 linux/amd64` is (1, 26, 8)."""
    match = _VERSION.search(text)
    if match is None:
        raise ValueError(f"no version in {text!r}")
    return int(match[1]), int(match[2]), int(match[3] or 0)
