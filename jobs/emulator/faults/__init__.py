"""Faults: requests held, delayed, refused or cut on purpose, as rules say."""
