"""Emulator: the services on one state folder behind one origin; a context manager with a URL."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from jobs.emulator.access.callers import Callers
from jobs.emulator.access.closed import Closed
from jobs.emulator.access.guard import Guard
from jobs.emulator.access.roles import Roles
from jobs.emulator.custom_roles import CustomRoles
from jobs.emulator.faults.control import Control
from jobs.emulator.faults.faults import Faults
from jobs.emulator.faults.injection import Injection
from jobs.emulator.federation import Federation
from jobs.emulator.guardrails import Guardrails
from jobs.emulator.iam import ServiceAccounts
from jobs.emulator.impersonation import Impersonation
from jobs.emulator.keys import Keys
from jobs.emulator.operations import Operations
from jobs.emulator.policies import Policies
from jobs.emulator.principals import Principals
from jobs.emulator.projects import LOCAL_PROJECTS, Projects
from jobs.emulator.server import Server
from jobs.emulator.services import Services
from jobs.emulator.state import State
from jobs.emulator.storage.service import Storage
from jobs.emulator.tokens import Tokens
from jobs.emulator.trainer.client import TrainerClient
from jobs.emulator.vertex.catalog import Catalog
from jobs.emulator.vertex.service import Vertex
from jobs.emulator.wire import Route
from jobs.emulator.workload_identity import WorkloadIdentity

_AGENT = "gcp-sa-aiplatform"


class Emulator:
    """Serves inside `with`; one emulator a folder, which its caller sees to."""

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        trainer: str = "smollm2",
        projects: Mapping[str, str] = LOCAL_PROJECTS,
        cache: Path | None = None,
        max_tuning_jobs: int | None = None,
        catalog: Catalog | None = None,
    ) -> None:
        client = TrainerClient(trainer, cache or folder / "cache")
        self.state = State(folder)
        self.faults = Faults(folder)
        self.routes, self._vertex = _services(
            self.state, projects, client, max_tuning_jobs, catalog
        )
        routes = [*Control(self.faults).routes(), *self.routes]
        try:
            self.server = Server(routes, port, partial(Injection, self.faults))
        except OSError:
            self.state.close()
            raise
        self.url = self.server.url

    def __enter__(self) -> Self:
        self.server.__enter__()
        self._vertex.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.faults.close()
        self.server.close()
        self._vertex.close()
        self.state.close()


def _services(
    state: State,
    numbers: Mapping[str, str],
    trainer: TrainerClient,
    max_tuning_jobs: int | None,
    catalog: Catalog | None,
) -> tuple[list[Route], Vertex]:
    principals = Principals(state, numbers)
    policies, operations = Policies(state, principals), Operations(state)
    closed, roles = Closed(state, numbers), Roles(state)
    projects = Projects(policies, numbers, closed)
    keys = Keys(state, projects, policies, roles)
    storage = Storage(state, principals, numbers, keys.storage_fault)
    identities = WorkloadIdentity(state, projects, operations)
    guard = Guard(Callers(principals), roles, policies, storage.policy_of, numbers, closed)
    vertex = Vertex(
        *(state, trainer, storage.open_object, numbers),
        quota=max_tuning_jobs,
        catalog=catalog,
        key_fault=lambda key, number: keys.vertex_fault(key, principals.agent(number, _AGENT)),
    )
    routes = [
        Route("GET", "/", lambda _: {"emulator": "vertune", "trainer": trainer.description}),
        *Tokens(principals, Federation(identities, state.folder)).routes(),
        *Impersonation(principals).routes(),
        *CustomRoles(state, projects).routes(),
        *operations.routes(),
        *projects.routes(),
        *Guardrails(state, projects, policies).routes(),
        *keys.routes(),
        *ServiceAccounts(state, projects, principals, policies).routes(),
        *Services(state, projects, principals, operations, closed).routes(),
        *identities.routes(),
        *vertex.routes(),
        *storage.routes(),  # last: it takes any two segments
    ]
    return guard.over(routes), vertex
