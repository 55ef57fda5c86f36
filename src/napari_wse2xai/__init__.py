"""Raman and photoluminescence maps of 2D-material flakes."""
