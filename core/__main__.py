"""`python -m core`: see `core.cli.parser`.

Guarded, because the engine's workers import the main module again.
"""

import sys

from core.cli.parser import main

if __name__ == "__main__":
    sys.exit(main())
