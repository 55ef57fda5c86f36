"""A small map with its truth, and the cells of tables that hold it: more columns than rows of pixels, so that a transposed one shows."""

import numpy as np

Y_UM, X_UM = np.array([10.0, 12.0, 14.0]), np.array([-3.0, -1.5, 0.0, 1.5])
AXIS = np.round(150 + 2.5 * np.arange(14) + 0.01 * np.arange(14) ** 2, 4)
ROW, COLUMN, CHANNEL = np.indices((len(Y_UM), len(X_UM), len(AXIS)))
TRUTH = (100.0 + 100 * ROW + 10 * COLUMN + CHANNEL).astype(np.float32)
SPECTRA = TRUTH.reshape(-1, len(AXIS))
ALL, CHANNELS = range(len(SPECTRA)), range(len(AXIS))
Y, X = (grid.ravel() for grid in np.meshgrid(Y_UM, X_UM, indexing="ij"))


def long_table(head, columns="xywi", *, order=ALL, channels=CHANNELS, separator="\t", drop=0):
    """Lines of one channel each: x, y, wave and intensity in the order of `columns`."""
    values = ({"x": X[k], "y": Y[k], "w": AXIS[c], "i": SPECTRA[k, c]} for k in order for c in channels)
    lines = [separator.join(f"{row[name]:.6f}" for name in columns) for row in values]
    return head + "\n".join(lines[: len(lines) - drop]) + "\n"


def columns_table(*heads, spectra=ALL, separator="\t", channels=CHANNELS):
    """Lines of one channel each: the axis, then the counts of every spectrum."""
    lines = [separator.join([f"{AXIS[c]:.4f}", *(f"{SPECTRA[k, c]:.3f}" for k in spectra)]) for c in channels]
    return "\n".join([*heads, *lines, ""])


def wide_table(head, columns="xyc", *, order=ALL, channels=CHANNELS, separator=",", words=None):
    """One line per spectrum: x, y, the channels (c) and a word (n) in the order of `columns`."""
    lines = []
    for k in order:
        cells = {"x": [str(X[k])], "y": [str(Y[k])], "n": [f"s{k}"], "c": [f"{SPECTRA[k, c]:.3f}" for c in channels]}
        lines.append(separator.join(cell for name in columns for cell in cells[name]))
    axis = {"c": [f"{AXIS[c]:.4f}" for c in channels]}
    titles = separator.join(cell for name, title in zip(columns, head, strict=True) for cell in axis.get(name, [title]))
    return "\n".join([*(words or []), titles, *lines, ""])
