"""The fuzzer: `make fuzz`, or `python -m tests.fuzz --minutes N [TARGET …]`.

Each target gets its share of the time in a process of its own. What breaks one is left in
.vertune/fuzz/; moved into tests/fuzz/seeds/ it is a test.
"""

import argparse
import subprocess
import sys
from pathlib import Path

_SEEDS = Path(__file__).parent / "seeds"
_FOUND = Path(".vertune/fuzz")
_LIMITS = ("-timeout=10", "-rss_limit_mb=2048", "-max_len=8192", "-print_final_stats=1")


def run(target: str, seconds: int) -> int:
    """The exit code of the fuzzer; it is not 0 where something broke."""
    corpus = _FOUND / target
    corpus.mkdir(parents=True, exist_ok=True)
    words = f"-dict={_SEEDS.parent / 'words.dict'}"
    limits = (*_LIMITS, words, f"-max_total_time={seconds}", f"-artifact_prefix={_FOUND}/{target}-")
    places = (str(corpus), str(_SEEDS / target))
    command = [sys.executable, "-m", "tests.fuzz", "--run", target, *limits, *places]
    return subprocess.run(command, check=False).returncode


def _fuzz(target: str, options: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["jobs.runner"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *options], TARGETS[target])
    atheris.Fuzz()


def main() -> int:
    known = sorted(path.name for path in _SEEDS.iterdir())
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("targets", nargs="*", choices=[*known, []])
    arguments = parser.parse_args()
    targets = arguments.targets or known
    seconds = max(1, round(60 * arguments.minutes / len(targets)))
    broken = [target for target in targets if run(target, seconds)]
    print(f"\n{len(targets)} targets, {seconds} s each; broken: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        _fuzz(sys.argv[2], sys.argv[3:])
    sys.exit(main())
