"""The emulator as a program: serves in the foreground, or in the background for `daemon`."""

import argparse
import json
import logging
import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    asked = _arguments()
    if asked.ready is not None:
        _detach()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    # Heavy imports only after the fork: there are no threads to lose yet.
    from jobs.emulator.serve import EmulatorError, serve

    try:
        serve(
            asked.folder.resolve(),
            asked.root.resolve(),
            asked.port,
            asked.trainer,
            asked.max_tuning_jobs,
            lambda url: _tell(asked.ready, url=url),
        )
    except EmulatorError as error:
        _tell(asked.ready, error=str(error))
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m jobs.emulator", description=__doc__)
    parser.add_argument("--folder", type=Path, default=_ROOT / ".vertune" / "emulator")
    parser.add_argument("--root", type=Path, default=_ROOT, help="the clone whose stack it serves")
    parser.add_argument("--port", type=int, default=0, help="default: the last one, or any")
    parser.add_argument("--trainer", help="default: the last one, or smollm2")
    parser.add_argument("--max-tuning-jobs", type=int, help="of a project; default: more wait")
    parser.add_argument("--ready", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def _detach() -> None:
    """Leave the caller's session, so that its end and its Ctrl-C are not ours."""
    if os.fork():
        os._exit(0)
    os.setsid()


def _tell(ready: int | None, **report: str) -> None:
    """To the waiting caller if there is one, else to the person who looks."""
    if ready is None:
        print(report.get("error") or report["url"], flush=True)
        return
    os.write(ready, json.dumps(report).encode() + b"\n")
    os.close(ready)


if __name__ == "__main__":
    sys.exit(main())
