"""`python -m tests.rehearsal`: pull requests from their plan to production, on this machine."""

import sys
import tempfile
from pathlib import Path

from tests.rehearsal.site import Site
from tests.rehearsal.story import NotAsStated, Story


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="vertune-rehearsal-") as folder:
        try:
            with Site(Path(folder)) as site:
                Story(site, lambda line: print(line, flush=True)).told()
        except NotAsStated as error:
            print(f"\nnot as stated: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
