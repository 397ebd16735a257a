"""A VOCdevkit folder as COCO json: a content for each list of images, named by year and list."""

from collections.abc import Sequence
from pathlib import Path

from mmdet_lite.datasets.converters.content import coco_contents, raise_all, without_progress
from mmdet_lite.datasets.converters.forms.voc import listed_files, read_images
from mmdet_lite.datasets.voc_xml import VOC_CLASSES
from mmdet_lite.ops.json_text import Json

SPLITS = ("train", "val", "trainval", "test")


def read_devkit(devkit: str | Path, class_names: Sequence[str] | None = None) -> dict[str, Json]:
    """Return COCO content of every split of a VOCdevkit folder, see ``voc_splits``.

    Images and boxes are those of ``forms.voc.read``; ``file_name`` is relative to ``devkit``. All
    splits have the same categories.

    Args:
        devkit: the folder VOCdevkit.
        class_names: the classes in the order of their ids, which count from 1; by default VOC's 20
            if no other occurs, else those that occur, sorted.

    Raises:
        FileNotFoundError: as ``voc_splits``.
        ValueError: XML files are missing or broken, a picture is missing or unreadable whose size
            its XML does not say, or a class is none of ``class_names``.
    """
    problems: list[str] = []
    images = {
        split: read_images(files, [Path(devkit)], None, without_progress, problems)[1]
        for split, files in voc_splits(devkit).items()
    }
    raise_all(list(dict.fromkeys(problems)), str(devkit))  # an image may be in several splits
    found = {obj["name"] for part in images.values() for image in part for obj in image["objects"]}
    names = class_names or (VOC_CLASSES if found <= set(VOC_CLASSES) else sorted(found))
    for name in sorted(found - set(names)):
        raise ValueError(f"{devkit}: the class {name!r} is none of {list(names)}")
    return coco_contents(images, names)


def voc_splits(devkit: str | Path) -> dict[str, list[Path]]:
    """Return the XML files of every split of a VOCdevkit folder.

    Splits are named as MMDetection's converter names them: ``voc07_trainval`` and, where two years
    have the same split, ``voc0712_trainval`` as well.

    Raises:
        FileNotFoundError: the folder has no VOC*/ImageSets/Main/{train,val,trainval,test}.txt.
    """
    splits: dict[str, list[Path]] = {}
    years: dict[str, list[str]] = {}
    for year in sorted(Path(devkit).glob("VOC*")):
        for split in SPLITS:
            listed = year / "ImageSets" / "Main" / f"{split}.txt"
            if listed.is_file():
                short = year.name.removeprefix("VOC")[-2:]
                splits[f"voc{short}_{split}"] = listed_files(listed)
                years.setdefault(split, []).append(short)
    if not splits:
        raise FileNotFoundError(
            f"{devkit} has no VOC*/ImageSets/Main/{{{','.join(SPLITS)}}}.txt; give the folder "
            "VOCdevkit, which holds VOC2007 or the like"
        )
    for split, of_split in years.items():
        if len(of_split) > 1:
            parts = [splits[f"voc{year}_{split}"] for year in of_split]
            splits[f"voc{''.join(of_split)}_{split}"] = [file for part in parts for file in part]
    return splits
