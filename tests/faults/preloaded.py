"""What a process of `vertune apply` imports, once for all of them: each is forked from it."""

from collections.abc import Sequence

import google.cloud.storage
import google.genai
import pydantic
import scipy.stats
from google.genai import types

import jobs.runner.apply
import jobs.runner.commands.apply
import jobs.runner.progress

# The client builds the validator of each kind of message at its first use, half of a process.
_messages: Sequence[type[pydantic.BaseModel]] = types.TuningJob.__mro__[1].__subclasses__()
for _message in _messages:
    _message.model_rebuild()

__all__ = ["google", "jobs", "scipy"]
