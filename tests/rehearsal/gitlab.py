"""`python -m tests.rehearsal.gitlab`: docs/gitlab-ci.yml, run by gitlab-ci-local on this machine.

In GitLab's place are the variables and signed tokens of each pipeline, and a project's artifacts.
Needs npm and rsync; the program is installed into a temporary folder.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.emulator import issuer
from tests.end_to_end.pulumi import ran
from tests.rehearsal.site import PROJECTS, Site, claims
from tests.workflows.pipeline import EVENTS, FILE, PROJECT

PROGRAM = "gitlab-ci-local@4.70.0"  # later ones need a newer node than 20
# gitlab-ci-local signs no tokens, and this machine is set up.
_INCLUDING = """\
include: docs/gitlab-ci.yml
.dev: {variables: {ID_TOKEN: $ID_TOKEN_DEV}}
.prod: {variables: {ID_TOKEN: $ID_TOKEN_PROD}}
"""
# As `make engine` would leave a clone; `cp` keeps the link to the engine that is here.
_SET_UP = "engine test-changed:\n\t@cp -an $$MACHINE/.vertune .\n"


def installed(folder: Path) -> Path:
    """The program, once npm has put it there."""
    program = folder / "node_modules" / ".bin" / "gitlab-ci-local"
    if not program.exists():
        install = ["npm", "install", "--silent", "--no-audit", "--prefix", str(folder), PROGRAM]
        subprocess.run(install, check=True)
    return program


def words(event: str, more: Mapping[str, str]) -> Iterator[str]:
    """The variables of a pipeline, as gitlab-ci-local takes them."""
    yield "--ignore-predefined-vars=" + ",".join([*EVENTS[event], *more])
    for name, value in {**EVENTS[event], **more}.items():
        yield from ("--variable", f"{name}={value}")


class GitLab:
    """Pipelines of one site, each in a clone of its own."""

    def __init__(self, site: Site, folder: Path, artifacts: str) -> None:
        self._site, self._folder, self._artifacts, self._count = site, folder, artifacts, 0
        self._program = installed(folder / "npm")

    def provision(self) -> None:
        """The repository and both stacks, as a team has them once they are set up."""
        person, prod = self._site.person, PROJECTS["prod"][0]
        (self._site.work / "docs").mkdir()
        shutil.copy(FILE, self._site.work / "docs")
        (self._site.work / ".gitlab-ci.yml").write_text(_INCLUDING, "utf-8")
        (self._site.work / "Makefile").write_text(_SET_UP, "utf-8")
        for stack in reversed(PROJECTS):  # dev last, which can grant something to prod's by then
            person("pulumi", "stack", "init", stack)
            for place, who in enumerate(("planner", "tuner") if stack == "dev" else ()):
                key = f"vertune:ledgerReaders[{place}]"
                email = f"vertune-{who}@{prod}.iam.gserviceaccount.com"
                person("pulumi", "config", "set", "--stack", stack, "--path", key, email)
            person("pulumi", "up", "--yes", "--skip-preview", "--stack", stack)
        self.push("The pipeline of GitLab", "main")

    def push(self, why: str, branch: str) -> None:
        self._site.commit(why)
        self._site.git("push", "--quiet", "origin", f"HEAD:{branch}")

    def merge(self, branch: str) -> None:
        self._site.git("switch", "--quiet", "main")
        self._site.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch)
        self._site.git("push", "--quiet", "origin", "main")

    def run(self, event: str, ref: str, *expected: str) -> None:
        """A pipeline that must pass and say this; raises SystemExit where it does not."""
        self._count += 1
        clone = self._folder / f"pipeline-{self._count}"
        self._site.check_out(clone, ref, joined=event != "fork")
        shell = ["--force-shell-executor", "--shell-isolation"]
        command = [str(self._program), *shell, *words(event, self._variables(event, clone))]
        machine = {**self._site.nobody(event != "fork"), "MACHINE": str(clone)}
        ended = ran(command, clone, machine, seconds=600)
        print(f"== {event}: {ended.code}\n{ended.text}", flush=True)
        missing = [text for text in expected if text not in ended.text]
        if ended.code or missing:
            raise SystemExit(
                f"the pipeline of a {event} ended with {ended.code}, without {missing}"
            )
        self._keep(clone)

    def _variables(self, event: str, clone: Path) -> dict[str, str]:
        base = self._site.git("-C", str(clone), "merge-base", "origin/main", "HEAD")
        found = {**self._site.variables, "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
        found |= {"TOKEN_SERVICE": self._site.emulator.url, "CI_API_V4_URL": self._artifacts}
        found |= {"ACCOUNT_SERVICE": self._site.emulator.url}
        found |= {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main"}
        of = "pull_request" if "CI_MERGE_REQUEST_PROJECT_ID" in EVENTS[event] else "push"
        for stack in PROJECTS if event != "fork" else ():
            audience = f"https://iam.googleapis.com/{found[f'PROVIDER_{stack.upper()}']}"
            found[f"ID_TOKEN_{stack.upper()}"] = issuer.token(audience, claims(of))
        return found

    def _keep(self, clone: Path) -> None:
        """What the branch's last pipeline left, where its project shows it."""
        for path in clone.rglob(".gitlab-ci-local/artifacts/*/snapshot.json"):
            kept = self._folder / "www" / "projects" / PROJECT / "jobs/artifacts/main/raw"
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, kept)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    folder.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="vertune-gitlab-") as name:
        folder = Path(name)
        with Site(folder / "site") as site, served(folder / "www") as artifacts:
            _told(GitLab(site, folder, artifacts), site)
    return 0


def _told(gitlab: GitLab, site: Site) -> None:
    """A spec from its merge request to what is recorded, a look for drift, and a fork."""
    gitlab.provision()
    site.git("switch", "--quiet", "--create", "tickets")
    site.job("tickets", "sports", "[dev]")
    gitlab.push("Name the topic of tickets", "tickets")
    gitlab.run("merge request", "tickets", "| + submit | tickets | new |")
    gitlab.merge("tickets")
    gitlab.run("push", "main", "tickets: submitted")
    gitlab.run("schedule", "main", "tickets: succeeded")
    gitlab.run("drift", "main", "No drift")
    site.job("letters", "sports", "[local, dev]")
    gitlab.push("Letters", "letters")
    gitlab.run("fork", "letters", "| + submit | letters | new |", "nobody was asked")


if __name__ == "__main__":
    sys.exit(main())
