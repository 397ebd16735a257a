"""``mmdet-lite COMMAND ...``: the console script."""

import difflib
import importlib
import sys
from collections.abc import Sequence

from mmdet_lite import __version__

COMMANDS = {
    "train": ("train", "train a detector"),
    "test": ("test", "evaluate a detector, write its predictions"),
    "infer": ("infer", "detect in pictures"),
    "make-balloons": ("make_balloons", "draw the default data set"),
    "check-data": ("check_data", "what is wrong with annotated images"),
    "convert-data": ("convert_data", "annotated images from one form to another"),
    "download-dataset": ("download_dataset", "fetch COCO, VOC or the balloon set"),
    "balloon2coco": ("balloon2coco", "convert VIA annotations to COCO"),
    "pascal-voc": ("pascal_voc", "convert Pascal VOC annotations to COCO"),
    "cityscapes": ("cityscapes", "convert Cityscapes annotations to COCO"),
    "convert-weights": ("convert_weights", "weights of other programs to this one's names"),
    "plot-log": ("plot_log", "draw loss and AP curves"),
    "zoo": ("zoo", "published models by name"),
    "publish-model": ("publish_model", "a checkpoint for others: weights only, hash in the name"),
    "detectron-config": ("detectron_config", "a Detectron YAML as a config"),
    "print-config": ("print_config", "a config as it is, who set each key, how two differ"),
    "browse-dataset": ("browse_dataset", "pictures before and after the pipeline"),
    "dataset-stats": ("dataset_stats", "count a data set, in a table and a picture"),
    "contact-sheet": ("contact_sheet", "ground truth beside predictions as one picture"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command with the arguments after its name; returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"mmdet-lite {__version__}")
        return 0
    name, rest = words[0], words[1:]
    if name not in COMMANDS:
        nearest = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0)
        print(
            f"mmdet-lite: unknown command {name!r}, did you mean {nearest[0]!r}?\n\n{usage()}",
            file=sys.stderr,
        )
        return 2
    module = importlib.import_module(f"mmdet_lite.cli.{COMMANDS[name][0]}")
    return int(module.main(rest) or 0)


def usage() -> str:
    """The list of commands."""
    lines = [f"  {name:<16} {text}" for name, (_, text) in COMMANDS.items()]
    return "usage: mmdet-lite COMMAND ...   (COMMAND --help for its arguments)\n\n" + "\n".join(
        lines
    )


if __name__ == "__main__":
    sys.exit(main())
