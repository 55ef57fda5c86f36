"""A window's session and what shows it."""
