"""`python -m spinsqueeze`: the command line."""

import sys

from spinsqueeze.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
