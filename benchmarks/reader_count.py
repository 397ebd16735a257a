"""What a reader must open to follow one training step of Mask R-CNN R50-FPN.

Runs one step (preprocessing, losses, backward) under a profiler and counts the package's own files
and functions that it enters, the lines of those functions, and the classes (own and framework's,
without torch's and Python's) in the inheritance chains of the objects at work.

    python benchmarks/reader_count.py [--list]
"""

import argparse
import inspect
import sys
from pathlib import Path

from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from train_step import make_step

import mmdet_lite

PACKAGE = Path(mmdet_lite.__file__).parent
# torchvision, Detectron2 and MMDetection 3.3, counted the same way (files, functions, lines)
OTHERS = {
    "torchvision": (20, 79, 1540),
    "Detectron2": (25, 100, 1525),
    "MMDetection 3.3": (36, 110, 2142),
}


def entered_code(step):
    """Code objects of the package that ``step`` enters, and the classes of their ``self``."""
    codes, classes = set(), set()

    def watch(frame, event, _):
        if event == "call" and Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
            if frame.f_code.co_name.startswith("<"):
                return  # comprehensions belong to the function around them
            codes.add(frame.f_code)
            owner = frame.f_locals.get("self")
            if owner is not None:
                classes.add(type(owner))

    sys.setprofile(watch)
    try:
        step()
    finally:
        sys.setprofile(None)
    return codes, classes


def chains(classes):
    """All classes in the inheritance chains, without torch's and Python's own."""
    found = {base for cls in classes for base in cls.__mro__}
    foreign = ("torch", "builtins", "abc", "typing", "collections")
    return {cls for cls in found if cls.__module__.split(".")[0] not in foreign}


def main():
    """Count and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="also list functions and classes")
    args = parser.parse_args()
    init_default_scope("mmdet_lite")
    MMLogger.get_instance("mmengine", log_level="WARNING")
    scene = argparse.Namespace(family="mask", size=(256, 256), boxes=5, batch=2, device="cpu")
    step = make_step(scene, "ours", amp=None, channels_last=True)
    step()  # caches are filled, as in any later step
    codes, classes = entered_code(step)
    files = {code.co_filename for code in codes}
    lines = {code: len(inspect.getsourcelines(code)[0]) for code in codes}
    inherited = chains(classes)
    if args.list:
        for code in sorted(codes, key=lambda c: (c.co_filename, c.co_firstlineno)):
            path = Path(code.co_filename).relative_to(PACKAGE)
            print(f"{path}:{code.co_firstlineno} {code.co_qualname} ({lines[code]} lines)")
        for cls in sorted(inherited, key=lambda c: (c.__module__, c.__name__)):
            print(f"{cls.__module__}.{cls.__name__}")
    print(
        f"mmdet_lite: {len(files)} files, {len(codes)} functions, {sum(lines.values())} lines of"
        f" functions, {len(inherited)} classes in inheritance chains"
    )
    for name, (other_files, functions, other_lines) in OTHERS.items():
        print(f"{name}: {other_files} files, {functions} functions, {other_lines} lines")


if __name__ == "__main__":
    main()
