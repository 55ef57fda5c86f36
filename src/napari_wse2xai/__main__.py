"""``python -m napari_wse2xai`` is the command line."""

import sys

from napari_wse2xai.cli import main

sys.exit(main())
