"""Makes ``toy_training`` importable for the tests of this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
collect_ignore = ["toy_training.py"]  # as a doctest module it would be imported a second time
