"""`python -m auditor` is `port-auditor`."""

import sys

from auditor.cli import main

sys.exit(main())
