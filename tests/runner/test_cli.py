"""The command line: fast help, consistent words, and an exit code and a stream for everything."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from jobs.runner import commands
from jobs.runner.cli import COMMANDS, main
from tests.conftest import Repository
from tests.runner.commands.calls import vertune

VERTUNE = Path(sys.prefix) / "bin" / "vertune"

# A command that is ours, whose only line is to be filled in.
WITH_A_COMMAND = """\
import sys, types, click
from jobs.runner import cli, errors
module = types.ModuleType("jobs.runner.commands.own")
@click.command("own")
def command():
    {line}
module.command = command
sys.modules[module.__name__] = module
cli.COMMANDS["own"] = "Our own."
cli.main(["own"])
"""


def ran(line: str) -> subprocess.CompletedProcess[str]:
    code = WITH_A_COMMAND.format(line=line)
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=60,
        check=False,
    )


def help_of(*words: str) -> str:
    result = CliRunner().invoke(main, [*words, "-h"], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stderr == ""
    return result.stdout


def subcommands(name: str) -> list[str]:
    command = main.get_command(click.Context(main), name)
    return list(command.commands) if isinstance(command, click.Group) else []


# Help


def test_help_lists_every_command_with_its_words() -> None:
    shown = " ".join(help_of().split())
    for name, words in COMMANDS.items():
        assert f"{name} {words}" in shown


def test_help_loads_no_command_and_nothing_heavy() -> None:
    code = "import sys\nsys.argv = ['vertune', '--help']\nfrom jobs.runner.cli import main\n"
    code += "main(standalone_mode=False)\nimport json\nprint(json.dumps(list(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(shown.stdout.splitlines()[-1])
    assert "jobs.runner.cli" in loaded
    heavy = {"google.auth", "google.cloud.storage", "google.genai", "pulumi", "yaml", "pydantic"}
    assert heavy.isdisjoint(loaded)
    assert not [name for name in loaded if name.startswith("jobs.runner.commands")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_in_the_words_of_the_list(name: str) -> None:
    text = " ".join(help_of(name).split())
    said = text.split("...", 1)[-1] if "..." in text else text.split("[OPTIONS]", 1)[-1]
    first_words = COMMANDS[name].rstrip(".").split()[:2]
    assert " ".join(first_words) in said


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_a_line_to_type(name: str) -> None:
    texts = [help_of(name), *(help_of(name, sub) for sub in subcommands(name))]
    assert any(re.search(r"(Example:\s+(eval \"\$\()?|`)vertune ", text) for text in texts)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    below = command.commands.values() if isinstance(command, click.Group) else ()
    for one in (command, *below):
        for option in one.params:
            assert not isinstance(option, click.Option) or option.help, (name, option.name)


def test_every_module_of_commands_is_in_the_list() -> None:
    folder = Path(commands.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(COMMANDS)


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(main, ["--version"], prog_name="vertune")
    assert (result.exit_code, result.stdout) == (0, "vertune, version 0.1.0\n")


# Usage


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek"], "No such command 'chek'. (Did you mean one of: 'check', 'schema'?)"),
        (["emulator", "strat"], "No such command 'strat'."),
        (["plan", "--selct", "x"], "No such option '--selct'."),
        (["plan", "-o", "yaml"], "'yaml' is not one of"),
        (["plan", "more"], "unexpected extra argument"),
        (["predict"], "Missing argument 'NAME'"),
        (["--root", "/nowhere/at/all", "plan"], "does not exist"),
        (["new", "job", "x"], "Missing option '--task'"),
    ],
)
def test_wrong_usage_is_told_apart_from_refusals(words: list[str], said: str) -> None:
    result = CliRunner().invoke(main, words, catch_exceptions=False)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_no_command_at_all_shows_the_help() -> None:
    result = CliRunner().invoke(main, [], catch_exceptions=False)
    assert result.exit_code == 2
    assert "Commands:" in result.output


# Ends


def test_what_a_user_can_mend_has_no_traceback() -> None:
    ended = ran("raise errors.VertuneError('mend it\\x1b[31m\\nthis way')")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "mend it\\x1b[31m\nthis way\n"


def test_an_error_may_have_an_exit_code_of_its_own() -> None:
    ended = ran("raise type('E', (errors.VertuneError,), {'exit_code': 7})('no')")
    assert (ended.returncode, ended.stderr) == (7, "no\n")


def test_a_bug_shows_where_it_is() -> None:
    ended = ran("{}['missing']")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Traceback")
    assert "KeyError: 'missing'" in ended.stderr


def test_signs_that_a_terminal_cannot_show_are_spelt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    ended = ran("click.echo('caf\\u00e9 \\u2500 \\udcff')")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.rstrip().endswith("\\u2500 \\udcff")


# Who runs these tests in the background may have Ctrl-C ignored, and that is inherited.
HEEDING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
HEEDING += "os.execv(sys.argv[1], sys.argv[1:])"


def test_ctrl_c_ends_at_once_without_a_traceback(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    os.mkfifo(texts)
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDING, VERTUNE, "predict", "one", "--file", texts],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process, texts.open("w"):  # which opens once the command reads from it
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert (out, err) == ("", "\nstopped\n")


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [VERTUNE, "models"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert ended.stderr == ""


def test_the_stack_may_come_from_the_environment(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VERTUNE_STACK", "prod")
    result = CliRunner().invoke(main, ["--root", str(repository.root), "plan"])
    assert result.exit_code == 1
    assert 'there is no stack "prod"' in result.stderr
    assert vertune(repository, "plan").stderr.startswith("the emulator is not running")


def test_a_folder_inside_the_repository_is_as_good_as_its_root(repository: Repository) -> None:
    result = CliRunner().invoke(main, ["--root", str(repository.root / "jobs"), "plan"])
    assert result.stderr.startswith("the emulator is not running")
