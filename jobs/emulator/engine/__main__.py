"""`python -m jobs.emulator.engine`: makes the engine available; `--find` only prints it."""

import argparse
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from jobs.emulator.engine import EngineUnavailable, ensure, find

ROOT = Path(__file__).resolve().parents[3]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m jobs.emulator.engine", description=__doc__)
    parser.add_argument("--find", action="store_true", help="print the engine as JSON, make none")
    parser.add_argument("--root", type=Path, default=ROOT, help="the clone, if another one")
    options = parser.parse_args(arguments)
    return _print_found(options.root) if options.find else _make(options.root)


def _print_found(root: Path) -> int:
    engine = find(root)
    if engine is None:
        print("No Pulumi engine: `python -m jobs.emulator.engine` makes one.", file=sys.stderr)
        return 1
    facts = asdict(engine) | {"path_entries": engine.path_entries()}
    print(json.dumps(facts, default=str, indent=2))
    return 0


def _make(root: Path) -> int:
    # A kill must pass through the `finally`s that remove what is half made.
    signal.signal(signal.SIGTERM, _stop)
    try:
        ensure(root)
    except EngineUnavailable as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
