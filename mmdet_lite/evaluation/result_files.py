"""Result files, read without running what is in them."""

from pathlib import Path
from typing import Any

from mmdet_lite.ops.plain_pickle import TENSORS, load_plain_pickle


def load_results(path: str | Path) -> list[dict[str, Any]]:
    """Return the list of dicts that ``test.py --out FILE.pkl`` wrote, ours or MMDetection's.

    A pickle can run any code; this reads only tensors, arrays and plain containers.

    Raises:
        FileNotFoundError: if it does not exist.
        ValueError: if it is no such list, or holds other objects.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no results file {path}; tools/test.py --out {path} writes one")
    with open(path, "rb") as file:
        try:
            results = load_plain_pickle(file, TENSORS)
        except ValueError as error:
            raise ValueError(f"{path} is not a results file of tools/test.py: {error}") from error
    if not isinstance(results, list) or not all(isinstance(r, dict) for r in results):
        raise ValueError(
            f"{path} is not a results file of tools/test.py: expected a list of dicts, got "
            f"{type(results).__name__}"
        )
    return results
