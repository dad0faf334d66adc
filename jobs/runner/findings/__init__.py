"""Findings: one module for each family of rules, functions from what was read to what is wrong."""
