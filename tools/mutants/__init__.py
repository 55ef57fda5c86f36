"""Plant faults in the package, one at a time, and see whether a test fails."""
