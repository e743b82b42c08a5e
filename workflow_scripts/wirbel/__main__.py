"""`python -m wirbel`: the same as the command `wirbel`."""

import sys

from wirbel.command.main import main

sys.exit(main())
