"""Catalog: every resource type the provider serves, by its token."""

from collections.abc import Mapping

from jobs.emulator.provider.account import Account
from jobs.emulator.provider.bucket import Bucket
from jobs.emulator.provider.custom_role import CustomRole
from jobs.emulator.provider.guardrails import Alert, Budget, Channel
from jobs.emulator.provider.iam_member import (
    AccountMember,
    AuditConfig,
    BucketMember,
    KeyMember,
    ProjectMember,
)
from jobs.emulator.provider.resource import Resource
from jobs.emulator.provider.service import Service, ServiceIdentity
from jobs.emulator.provider.workload_identity import Pool, PoolProvider

_TYPES: tuple[type[Resource], ...] = (
    Account,
    AccountMember,
    Alert,
    AuditConfig,
    Bucket,
    BucketMember,
    Budget,
    Channel,
    CustomRole,
    KeyMember,
    Pool,
    PoolProvider,
    ProjectMember,
    Service,
    ServiceIdentity,
)
RESOURCES: Mapping[str, Resource] = {one.token: one() for one in _TYPES}
