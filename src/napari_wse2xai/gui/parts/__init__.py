"""Widgets and helpers that know nothing of maps, pairs or networks."""
