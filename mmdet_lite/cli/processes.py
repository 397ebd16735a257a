"""``python -m mmdet_lite.cli.processes``: torchrun that leaves the last word to the program.

Takes torchrun's arguments. torchrun ends a failed run with a traceback of its own and status 1,
below which the program's message drowns; here the status is that of the process that failed.
"""

import logging
import os
import sys
from collections.abc import Sequence

PORT_TAKEN = "address already in use"


def main(argv: Sequence[str] | None = None) -> int:
    """Start the processes and wait; returns the exit status."""
    # of this process: notes on each process that ends. Errors are said where they come up.
    logging.disable(logging.ERROR)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torchrun's choice, which it says in ten lines
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    try:
        run.main(list(argv) if argv is not None else sys.argv[1:])
    except ChildFailedError as error:
        status = error.get_first_failure()[1].exitcode
        return status if status > 0 else 128 - status
    except SignalException as error:
        return 128 + int(error.sigval)
    except RuntimeError as error:  # torch's DistNetworkError is one
        if PORT_TAKEN not in str(error).lower():
            raise
        print("the port is taken: choose another one, PORT=29501", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
