"""What a process of `vertune apply` imports, once for all of them: each is forked from it."""

import google.cloud.storage
import google.genai
import scipy.stats
from google.genai import types

import jobs.runner.apply
import jobs.runner.commands.apply
import jobs.runner.progress

# The client builds the validator of each kind of message at its first use, half of a process.
for _kind in types.ListTuningJobsResponse.__mro__[1].__subclasses__():
    _kind.model_rebuild()

__all__ = ["google", "jobs", "scipy"]
