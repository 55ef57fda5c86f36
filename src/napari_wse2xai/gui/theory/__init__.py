"""Theory beside the data."""
