"""Datasets: new files made from old ones, which are never touched."""
