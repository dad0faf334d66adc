"""Results: what the ledger in the bucket says was tuned, as the stack's outputs."""

import pulumi

from infra.settings import Settings
from jobs.runner import ledger


def tuned_models(settings: Settings) -> dict[str, dict[str, object]]:
    """Nothing before the first apply; a ledger that cannot be read stops the program."""
    try:
        return ledger.tuned_models(settings.bucket, settings.project, settings.endpoint)
    except Exception as error:
        if not hasattr(error, "exit_code"):  # what is meant for people has one; the rest is a bug
            raise
        raise pulumi.RunError(f"the ledger cannot be read: {error}") from error
