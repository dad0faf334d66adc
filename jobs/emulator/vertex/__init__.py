"""Vertex AI on loopback: tuning jobs that really tune, the model registry, endpoints, answers."""
