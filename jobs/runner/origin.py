"""Origin: where a repository is cloned from, as everybody who cloned it would say."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

_SECONDS = 5
_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+\.[^:/]+):(?P<path>[^/].*)")


def origin(root: Path) -> str | None:
    """Host and path of the remote `origin`, None without git, a remote, or a host in it."""
    if not (root / ".git").exists():
        return None
    try:
        found = subprocess.run(
            ["git", "-C", str(root), "config", "--get", "remote.origin.url"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return plain(found.stdout.strip())


def plain(url: str) -> str | None:
    """`host/path` of a remote: without scheme, user, password, port, and `.git`."""
    if scp := _SCP.fullmatch(url):
        host, path = scp["host"], scp["path"]
    else:
        try:
            parts = urlsplit(url)
        except ValueError:
            return None
        host, path = parts.hostname or "", parts.path
    path = path.strip("/").removesuffix(".git")
    return f"{host.lower()}/{path}" if host and path else None
