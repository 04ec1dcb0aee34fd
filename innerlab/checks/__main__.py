"""A process that answers: ``python -m innerlab.checks`` runs cells and sends back what the answer in them replies.

It reads a request (:class:`innerlab.checks.asking.Request`) from each line of its standard input and writes a line of
replies. It knows no exercise and judges nothing.
"""

import json
import os
import sys
from typing import Any

from innerlab.checks.asking import Reply, Request, ask, in_one_line, refusal


def replies_to(request: Request) -> list[Reply]:
    """The replies of one answer, in a namespace of its own."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        for number, cell in enumerate(request.cells):
            exec(compile(cell, f"<cell {number}>", "exec"), namespace)
        if request.name not in namespace:
            raise NameError(f"name {request.name!r} is not defined")
    except BaseException as error:
        return [refusal("raises", in_one_line(error))] * request.calls
    return ask(namespace[request.name], request.recipes)


def main() -> None:
    """Answer the requests on standard input, one after the other."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")  # replies go here; whatever an answer prints goes nowhere
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin.read().splitlines():  # all at once, since exit() closes it
        print(json.dumps(replies_to(Request(**json.loads(line)))), file=channel, flush=True)


if __name__ == "__main__":
    main()
