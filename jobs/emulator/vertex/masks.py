"""Update masks: which fields a PATCH changes, with and without `updateMask`."""

import re
from collections.abc import Collection

from jobs.emulator.errors import rpc_error
from jobs.emulator.vertex.fields import Fields
from jobs.emulator.wire import Request


def masked(request: Request, body: Fields, updatable: Collection[str]) -> list[str]:
    """Proto names; google-genai sends no mask, and means what is in the body."""
    mask = request.first("updateMask") or request.first("update_mask")
    if mask is None:
        return [name for name in sorted(updatable) if name in body]
    names = [re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)
             for name in mask.split(",") if name]  # fmt: skip
    for name in names:
        if name not in updatable:
            raise rpc_error(
                "INVALID_ARGUMENT",
                f"Field {name!r} cannot be updated; these can: {', '.join(sorted(updatable))}.",
                violations={"update_mask": f"unsupported path {name!r}"},
            )
    return names
