"""Maps, their stages and their peaks."""
