"""Fuzz: the parsers and readers against bytes that a coverage-guided fuzzer makes up."""
