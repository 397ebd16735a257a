"""Data sets in Pascal VOC's form: a list of image names, and one XML an image."""

import logging
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmengine import fileio
from mmengine.logging import print_log

from mmdet_lite.datasets.base import DetDataset, Entry, box_outline, count_list
from mmdet_lite.datasets.class_names import check_unique, side_by_side
from mmdet_lite.datasets.voc_xml import (
    VocAnnotation,
    VocObject,
    find_image,
    read_image_names,
    read_voc_xml,
)
from mmdet_lite.ops.box_faults import box_fault
from mmdet_lite.ops.checks import nearest_name
from mmdet_lite.ops.image_file import BadImageError, MissingImageError, read_image
from mmdet_lite.registry import DATASETS

NOT_LISTED = "class not in metainfo.classes"
_MISSPELT = 0.8


@DATASETS.register_module()
class XMLDataset(DetDataset):
    """Images with boxes from one XML each.

    Boxes are in continuous pixels, with 1 taken off what the file says, see
    ``voc_xml.parse_voc_xml``. ``difficult`` objects become ignored instances. The size of an image
    is that in its XML, or the picture's where it has none. Pictures may have any ending of
    ``ops.image_file.PICTURE_ENDINGS``.

    Classes map to labels **by name**. Without class names those of the files are taken, sorted.
    An XML lists objects and no categories, so a class may occur nowhere; but a name that looks like
    a misspelt one is refused, and so is any that is not among names that nobody chose (those of
    ``METAINFO``). Objects of other classes than the chosen ones are left out, as are boxes that are
    not finite, smaller than a pixel or outside of the image; these are logged with counts.

    Args:
        ann_file: text file of image names without ending, one a line, below ``data_root`` if
            relative, such as ``VOC2007/ImageSets/Main/trainval.txt``.
        data_prefix: ``dict(sub_data_root=folder)`` that holds the next two.
        img_subdir: folder of the pictures.
        ann_subdir: folder of the XMLs.
        filter_cfg: ``filter_empty_gt`` drops images without instances, ``min_size`` those with a
            shorter side in pixels; ``bbox_min_size`` makes ignored instances of boxes with a
            shorter side in pixels; all only in training.
        *args: likewise, in DetDataset's order.
        **kwargs: the other arguments of DetDataset.

    Raises:
        FileNotFoundError: the list or an XML does not exist.
        ValueError: the list is empty or names an image twice, an XML is broken, class names do
            not fit, or no image is left.

    Source: arguments and entries are MMDetection 3's.
    """

    filter_keys = (*DetDataset.filter_keys, "bbox_min_size")
    prefix_keys = ("sub_data_root",)

    def __init__(
        self,
        *args: Any,
        img_subdir: str = "JPEGImages",
        ann_subdir: str = "Annotations",
        **kwargs: Any,
    ) -> None:
        self.img_subdir = img_subdir
        self.ann_subdir = ann_subdir
        self._read: dict[str, VocAnnotation] | None = None
        super().__init__(*args, **kwargs)

    def names_in_files(self) -> list[str]:
        """Names of all objects, sorted."""
        return sorted(_objects_of_names(self._annotations()))

    def load_data_list(self) -> list[Entry]:
        """Read the XMLs into one entry an image, in the order of the list."""
        annotations = self._annotations()
        found = _objects_of_names(annotations)
        self.take_class_names(sorted(found))
        classes = self._metainfo["classes"]
        self._check_names(found, classes)
        labels = {name: label for label, name in enumerate(classes)}
        folder = self._folder(self.img_subdir)
        data_list = []
        for name, annotation in annotations.items():
            img_path = find_image(folder, name, self.backend_args)
            data_list.append({"img_id": name, **self._entry(img_path, annotation, labels)})
        self._read = None  # from now on the entries say it all
        maskless = [entry["img_id"] for entry in data_list if entry["instances"]]
        self.check_masks([] if self.box_as_mask else maskless)
        left_out = Counter({name: found[name] for name in found if name not in labels})
        self.report_dropped(f"; not in metainfo.classes: {count_list(left_out)}" * bool(left_out))
        return data_list

    def _folder(self, subdir: str) -> str:
        return str(
            fileio.join_path(
                self.data_prefix["sub_data_root"], subdir, backend_args=self.backend_args
            )
        )

    def _annotations(self) -> dict[str, VocAnnotation]:
        """All XMLs by image name; kept until the entries are made."""
        if self._read is None:
            folder = self._folder(self.ann_subdir)
            names = read_image_names(self.ann_file, folder, self.backend_args)
            check_unique(names, f"image names of {self.ann_file}")
            self._read = {
                name: read_voc_xml(os.path.join(folder, f"{name}.xml"), self.backend_args)
                for name in names
            }
        return self._read

    def _check_names(self, found: Counter[str], classes: Sequence[str]) -> None:
        """Refuse names of objects that probably were to be one of the classes."""
        wrong = {}
        for name in found.keys() - set(classes):
            near = nearest_name(name, classes, _MISSPELT)
            alike = near is not None and (near not in found or near.lower() == name.lower())
            if alike or not self.names_chosen:
                wrong[name] = near
        if not wrong and found and not any(name in found for name in classes):
            wrong = dict.fromkeys(found)
        if wrong:
            listed = [
                f"{name!r} ({found[name]} objects)" + (f" (did you mean {near!r}?)" * bool(near))
                for name, near in sorted(wrong.items())
            ]
            owner = "metainfo" if self.names_chosen else type(self).__name__
            table = side_by_side(f"classes of {owner}", classes, "names in the files", list(found))
            raise ValueError(
                f"{self.ann_file}: objects are named {', '.join(listed)}, which are no classes.\n"
                f"{table}\nGive every data set metainfo=dict(classes=(...)) with the names in the "
                "files, or correct the files; XMLDataset without classes takes all names"
            )
        absent = [name for name in classes if name not in found]
        if absent and not self.test_mode:
            text = f"{self.ann_file}: no object of the classes {absent[:20]}"
            print_log(text, "current", logging.WARNING)

    def _entry(self, img_path: str, annotation: VocAnnotation, labels: dict[str, int]) -> Entry:
        """Return the entry of one image, without its name."""
        height, width = annotation.size or self._measure(img_path)
        instances = []
        for one in annotation.objects:
            x1, y1, x2, y2 = one.box
            reason = NOT_LISTED
            if one.name in labels:
                reason = box_fault(x1, y1, x2 - x1, y2 - y1, height, width) or ""
            if reason:
                self.drop(reason)
            else:
                instances.append(self._instance(one, labels[one.name]))
        if not instances:
            self.count_empty(had_annotations=bool(annotation.objects))
        return {
            "img_path": img_path,
            "height": height,
            "width": width,
            "instances": instances,
        }

    def _instance(self, one: VocObject, label: int) -> dict[str, Any]:
        least = 0 if self.test_mode else (self.filter_cfg or {}).get("bbox_min_size", 0)
        x1, y1, x2, y2 = one.box
        ignored = one.difficult or min(x2 - x1, y2 - y1) < least
        instance = {"bbox": list(one.box), "bbox_label": label, "ignore_flag": int(ignored)}
        return {**instance, "mask": [box_outline(*one.box)]} if self.box_as_mask else instance

    def _measure(self, img_path: str) -> tuple[int, int]:
        """(height, width) of a picture, as training loads it."""
        try:
            image = read_image(img_path, backend_args=self.backend_args)
        except (MissingImageError, BadImageError) as error:
            raise type(error)(
                f"{error}; its XML has no <size>, so that it has to be measured. Is it where "
                "data_root, data_prefix.sub_data_root and img_subdir of the data set lead to?"
            ) from error
        return int(image.shape[0]), int(image.shape[1])


def _objects_of_names(annotations: dict[str, VocAnnotation]) -> Counter[str]:
    """How many objects have each name."""
    return Counter(one.name for annotation in annotations.values() for one in annotation.objects)
