"""What a process of `vertune apply` imports, once for all of them: each is forked from it."""

import google.cloud.storage
import google.genai
import scipy.stats

import jobs.runner.apply
import jobs.runner.commands.apply
import jobs.runner.progress

__all__ = ["google", "jobs", "scipy"]
