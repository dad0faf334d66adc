"""Pulumi's own installer, run by the Automation API: the official engine where its site is reached.

Run as a program by `install`, so that its limits on the network apply to it and to nothing else.
"""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from jobs.emulator.engine.children import Child, started

_CONNECT_SECONDS = 4
_DOWNLOAD_SECONDS = 600


def install(home: Path) -> str | None:
    """Puts the official engine into `home`; says why it did not, or nothing if it did."""
    command = [sys.executable, "-m", __name__, str(home)]
    # glibc's resolver asks once and briefly, so that a closed network answers soon.
    env = {**os.environ, "RES_OPTIONS": "timeout:2 attempts:1"}
    with started(command, _end, env=env, start_new_session=True) as process:
        try:
            said, _ = process.communicate(timeout=_DOWNLOAD_SECONDS)
        except subprocess.TimeoutExpired:
            return f"its download was not done after {_DOWNLOAD_SECONDS} s"
        finally:
            _end(process)
    return _last_line(said) if process.returncode else None


def _end(process: Child) -> None:
    # The installer is a script that runs curl: all of its session has to go.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _run(home: str) -> None:
    # Pulumi's SDK takes half a second to import, which finding an engine need not pay.
    from pulumi.automation import PulumiCommand

    socket.setdefaulttimeout(_CONNECT_SECONDS)
    try:
        PulumiCommand.install(root=home)
    except subprocess.CalledProcessError as error:
        sys.exit(_last_line(error.output.decode(errors="replace")))
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _run(sys.argv[1])
