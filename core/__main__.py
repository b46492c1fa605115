"""`python -m core`: see `core.cli`. Guarded, because the engine's workers import the main module again."""

import sys

from core.cli import main

if __name__ == "__main__":
    sys.exit(main())
