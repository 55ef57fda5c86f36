"""Any quantity of the pixels against any other, and the pixels that were chosen in it."""
