"""Verbs on arrays: numpy, scipy and torch; nothing of this project's own types."""
