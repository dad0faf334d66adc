"""Results: what the ledger in the bucket says was tuned, as the stack's outputs."""

import pulumi

from infra.settings import Settings
from jobs.runner import ledger
from jobs.runner.errors import VertuneError


def tuned_models(settings: Settings) -> dict[str, dict[str, object]]:
    """Nothing before the first apply; a ledger that cannot be read stops the program."""
    try:
        return ledger.tuned_models(settings.bucket, settings.project, settings.endpoint)
    except VertuneError as error:
        raise pulumi.RunError(f"the ledger in gs://{settings.bucket}: {error}") from error
