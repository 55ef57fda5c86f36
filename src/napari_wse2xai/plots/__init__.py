"""Functions that draw on a given Axes: one drawing code for screen, report and docs."""
