"""``python -m innerlab.marking`` is ``python run.py grade``.

The command is in a module of its own, since worker processes are sent functions by the names of their modules.
"""

import sys

from innerlab.marking.command import main

if __name__ == "__main__":
    sys.exit(main())
