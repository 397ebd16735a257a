"""``mmdet-lite download-dataset``: fetch a public data set into the place where configs look."""

import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmdet_lite.cli.front_door import CommandParser, run_command, say

if TYPE_CHECKING:
    from mmdet_lite.cli.dataset_archives import Archive, PublicDataset

NAMES = ("coco2017", "voc2007", "voc2012", "balloon", "cityscapes-note")
CITYSCAPES_NOTE = """\
Cityscapes is given to registered users only, so it cannot be fetched from here:
  1. register at https://www.cityscapes-dataset.com and log in
  2. download gtFine_trainvaltest.zip (241 MB) and leftImg8bit_trainvaltest.zip (11 GB)
  3. unpack both into data/cityscapes, which then holds gtFine/ and leftImg8bit/
  4. convert the annotations: see docs/data.md, or
     python tools/dataset_converters/cityscapes.py --help"""


def main(argv: Sequence[str] | None = None) -> int:
    """Download what the arguments say; returns the exit status (see ``run_command``)."""
    args = parse_args(argv)
    return run_command("download-dataset", lambda: download(args))


def parse_args(argv: Sequence[str] | None) -> Namespace:
    """The flags, which are MMDetection's."""
    parser = CommandParser(
        "mmdet-lite download-dataset",
        description="Download a public data set. Run it again and it goes on where it was stopped; "
        "sizes and sums of the files are compared with those that are known.",
    )
    parser.add_argument("--dataset-name", choices=NAMES, default="coco2017")
    parser.add_argument(
        "--save-dir",
        type=Path,
        help="folder of the archives and of what they hold (default: data/coco for coco2017, "
        "else data; there our configs look)",
    )
    parser.add_argument("--unzip", action="store_true", help="unpack the archives")
    parser.add_argument("--delete", action="store_true", help="delete archives once unpacked")
    parser.add_argument("--threads", type=int, default=1, help="archives fetched at once (1)")
    args = parser.parse_args(argv)
    if args.delete and not args.unzip:
        parser.error("--delete without --unzip would delete what was downloaded")
    if args.threads < 1:
        parser.error(f"--threads must be at least 1, got {args.threads}")
    return args


def download(args: Namespace) -> int:
    """Fetch, and unpack if that is asked for."""
    if args.dataset_name == "cityscapes-note":
        print(CITYSCAPES_NOTE)
        return 0
    # imported late, so that --help is quick
    from mmdet_lite.cli.dataset_archives import PUBLIC_DATASETS

    dataset = PUBLIC_DATASETS[args.dataset_name]
    folder = args.save_dir or Path(dataset.folder)
    bring(dataset, folder, args.unzip, args.delete, args.threads)
    if args.unzip:
        say(f"{args.dataset_name} is in {folder}; next: {dataset.then}")
    else:
        say(f"the archives are in {folder}; --unzip unpacks them")
    return 0


def bring(
    dataset: "PublicDataset", folder: Path, unzip: bool, delete: bool, threads: int = 1
) -> None:
    """Make the archives of a data set be in ``folder``, and with ``unzip`` what they hold.

    Raises:
        FileNotFoundError: an archive cannot be had; with what to do about it.
        ValueError: an archive is not the file that is meant, or cannot be unpacked.
        OSError: the disk is too full.
    """
    from multiprocessing.pool import ThreadPool  # of daemons: Ctrl-C need not wait for them

    from mmdet_lite.cli.dataset_archives import unpack

    waiting = [one for one in dataset.archives if not (unzip and _mark(one, folder).exists())]
    folder.mkdir(parents=True, exist_ok=True)
    _check_space(waiting, folder, unzip)
    if threads == 1:
        paths = [_fetched(one, folder) for one in waiting]
    else:
        with ThreadPool(threads) as pool:
            paths = pool.starmap(_fetched, [(one, folder) for one in waiting], chunksize=1)
    for archive, path in zip(waiting, paths, strict=True):
        if unzip:
            count = unpack(path, folder)
            _mark(archive, folder).write_text(f"{count} files\n", encoding="utf-8")
        if delete:
            path.unlink()


def _fetched(archive: "Archive", folder: Path) -> Path:
    from mmdet_lite.checkpoint import Fingerprint, fetch

    path = folder / archive.name
    try:
        return fetch(archive.url, path, Fingerprint(md5=archive.md5, size=archive.size))
    except FileNotFoundError as error:
        balloons = "balloon" in archive.name
        drawn = "; or draw a set: python tools/misc/make_balloons.py" if balloons else ""
        raise FileNotFoundError(
            f"{error}\nrun the command again to go on; or fetch {archive.url} in another way, put "
            f"it at {path}, and run the command again, which then only compares and unpacks "
            f"it{drawn}"
        ) from error


def _mark(archive: "Archive", folder: Path) -> Path:
    """The file that says that an archive was unpacked here wholly."""
    return folder / f".{archive.name}.unpacked"


def _check_space(archives: Sequence["Archive"], folder: Path, unzip: bool) -> None:
    """Stop before the download where the disk cannot hold it."""
    missing = sum(one.size or 0 for one in archives if not (folder / one.name).exists())
    unpacked = sum(one.size or 0 for one in archives) if unzip else 0  # pictures do not shrink
    free = shutil.disk_usage(folder).free
    if missing + unpacked > free:
        raise OSError(
            f"{folder.absolute()} has {free / 1e9:.1f} GB free, the data set needs about "
            f"{(missing + unpacked) / 1e9:.1f} GB; choose another folder with --save-dir"
        )


if __name__ == "__main__":
    sys.exit(main())
