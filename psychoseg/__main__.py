"""``python -m psychoseg`` is the command line."""

import sys

from psychoseg.cli import main

sys.exit(main())
