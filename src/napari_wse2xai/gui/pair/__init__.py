"""Pairing PL with RS."""
