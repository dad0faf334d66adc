"""`vertune doctor`."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import click

from jobs.runner import remote, report
from jobs.runner.commands import Place, output_option
from jobs.runner.errors import NotProvisioned, VertuneError

_KEY = "GOOGLE_APPLICATION_CREDENTIALS"
_EXAMPLE = "my-project-"  # so the projects begin that the files of stacks come with
_TO_READ_WITH = ("emulator", "environment", "credentials")  # without one, no bucket can be read


@dataclass(frozen=True)
class Finding:
    """One thing that is in use; `mend` is the command that puts right what is missing."""

    what: str
    value: str
    ok: bool = True
    mend: str = ""


@click.command("doctor")
@output_option
@click.option(
    "--policy", is_flag=True, help="Instead: does the program ask for what must never be?"
)
@click.pass_obj
def command(place: Place, output: str, policy: bool) -> None:
    """Say what is in use, what is missing, and the command that mends it.

    Exit code 1 if anything is missing, or asked for that must never be.

    Example: vertune --stack dev doctor
    """
    if policy:
        _hold_to_policy(place, output)
        return
    found = list(examine(place))
    if output == "json":
        click.echo(report.dumps([asdict(finding) for finding in found]))
    else:
        rows = [
            (finding.what, ("" if finding.ok else "missing: ") + finding.value, finding.mend)
            for finding in found
        ]
        click.echo(
            report.table(("what", "in use", "mend with"), rows, markdown=output == "markdown")
        )
    if not all(finding.ok for finding in found):
        click.get_current_context().exit(1)


def _hold_to_policy(place: Place, output: str) -> None:
    """What a `pulumi up` would make, and what is there already, by Pulumi's own preview."""
    from jobs.runner import policy, stack

    asked = stack.asked(place.stack)
    found = policy.check(asked, place.name)
    if output == "json":
        body = {"resources": len(asked), "violations": [asdict(one) for one in found]}
        click.echo(report.dumps(body))
    elif found:
        rows = [(one.rule, one.resource, one.what) for one in found]
        columns = ("rule", "resource", "what must never be")
        click.echo(report.table(columns, rows, markdown=output == "markdown"))
    else:
        click.echo(f"{len(asked)} resources hold to the policy.")
    if found:
        click.get_current_context().exit(1)


def examine(place: Place) -> Iterator[Finding]:
    """Each thing a stack needs, in the order in which they are needed."""
    yield Finding("vertune", metadata.version("vertune"))
    yield Finding("Python", f"{platform.python_version()}, {sys.executable}")
    yield from _repository(place)


def _repository(place: Place) -> Iterator[Finding]:
    try:
        root = place.root
    except VertuneError as error:
        yield Finding("repository", str(error), False, "cd into a clone")
        return
    yield Finding("repository", str(root))
    yield from _engine(root)
    yield _sdk()
    try:
        chosen = place.selection
    except VertuneError as error:
        yield Finding("stack", str(error), False, "vertune --stack NAME doctor")
        return
    try:
        settings = place.settings
    except VertuneError as error:
        said = f"{error} (chosen by {chosen.why})"
        yield Finding("stack", said, False, f"edit Pulumi.{place.name}.yaml")
        return
    simulated = " (simulated on this machine)" if settings.emulator else ""
    said = f"{place.name} (by {chosen.why}): project {settings.project}, {settings.region}"
    if settings.project.startswith(_EXAMPLE):
        said = f"a project and a bucket of yours in place of the example's; {said}"
        yield Finding("stack", said, False, f"edit Pulumi.{place.name}.yaml")
    else:
        yield Finding("stack", said + simulated)
    services = [*(_local(place) if settings.emulator else _cloud())]
    yield from services
    if all(finding.ok for finding in services if finding.what in _TO_READ_WITH):
        yield _bucket(place)


def _engine(root: Path) -> Iterator[Finding]:
    from jobs.emulator.engine import find

    mend = "make engine"
    engine = find(root)
    if engine is None:
        yield Finding("engine", "Pulumi's command line", False, mend)
        return
    yield Finding("engine", f"pulumi {engine.version}, {engine.source}, {engine.pulumi}")
    if engine.language_host is None:
        yield Finding("language host", "pulumi-language-python", False, mend)
    else:
        yield Finding("language host", str(engine.language_host))


def _sdk() -> Finding:
    return Finding(
        "SDK", f"pulumi {metadata.version('pulumi')}, pulumi-gcp {metadata.version('pulumi-gcp')}"
    )


def _local(place: Place) -> Iterator[Finding]:
    try:
        stack = place.stack
    except VertuneError as error:
        yield Finding("emulator", str(error), False, "vertune emulator start")
        return
    yield Finding("emulator", str(stack.endpoint))
    plugin = shutil.which("pulumi-resource-gcp", path=stack.environment.get("PATH"))
    yield Finding(
        "plugin", f"the emulator's, {plugin}" if plugin else "pulumi-resource-gcp", bool(plugin)
    )
    who = remote.acting_as()
    key = "a key of the emulator; it is worth nothing elsewhere"
    yield Finding("credentials", f"{key}; acting as {who}" if who else key)


def _cloud() -> Iterator[Finding]:
    if os.environ.get("VERTUNE_EMULATOR_URL"):
        what = "this shell's tools are pointed at the emulator"
        yield Finding("environment", what, False, "open another terminal")
    yield _plugin()
    yield _credentials()


def _plugin() -> Finding:
    """Google's provider, of the SDK's version or a newer one: Pulumi takes no older one."""
    needed = metadata.version("pulumi-gcp")
    plugins = Path(os.environ.get("PULUMI_HOME", Path.home() / ".pulumi")) / "plugins"
    found = sorted(path.name for path in plugins.glob("resource-gcp-v*") if path.is_dir())
    if any(_version(name) >= _version(needed) for name in found):
        return Finding("plugin", ", ".join(found))
    there = f"; there is {', '.join(found)}" if found else ""
    mend = f"pulumi plugin install resource gcp {needed}"
    return Finding("plugin", f"Google's provider, {needed} or newer{there}", False, mend)


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


def _credentials() -> Finding:
    try:
        credentials = remote.credentials(None)
    except VertuneError as error:
        return Finding("credentials", str(error), False, "gcloud auth application-default login")
    source = os.environ.get(_KEY) or "application default"
    who = getattr(credentials, "service_account_email", None)
    return Finding("credentials", f"{source}, {who}" if who else source)


def _bucket(place: Place) -> Finding:
    try:
        count = len(place.ledger.recorded())
    except NotProvisioned:
        mend = f"pulumi up --stack {place.name}"
        return Finding("bucket", f"gs://{place.settings.bucket}", False, mend)
    except VertuneError as error:
        return Finding("bucket", str(error), False)
    return Finding("bucket", f"gs://{place.settings.bucket}, {count} names in the ledger")
