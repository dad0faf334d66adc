"""actionlint, built from its Go module once; its Python wrapper would download a program."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from jobs.emulator.engine import toolchain
from tests.workflows.files import ROOT

_MODULE = Path(__file__).parent / "actionlint"
_PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint"
_GO = (1, 24, 0)  # knows `tool` in go.mod


def actionlint() -> Path:
    """The program, kept in the clone for as long as its go.sum stays."""
    digest = hashlib.sha256((_MODULE / "go.sum").read_bytes()).hexdigest()[:16]
    program = ROOT / ".vertune" / "actionlint" / digest
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        _build(program)
    return program


def _build(program: Path) -> None:
    go = toolchain.go(ROOT, _GO)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        made = Path(folder) / "actionlint"
        built = subprocess.run(
            [go.command, "build", "-o", made, _PACKAGE],
            cwd=_MODULE,
            env=go.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert built.returncode == 0, built.stderr
        os.replace(made, program)
