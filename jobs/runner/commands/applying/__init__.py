"""Applying: what `vertune apply` holds to before it acts, and its rounds of plans."""
