"""LabelMe: one json a picture, beside it."""

import base64
import io
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from PIL import Image

from mmdet_lite.datasets.converters.content import (
    AnnotatedImages,
    Complain,
    Track,
    coco_contents,
    counted,
    listed_names,
    outlined,
    with_objects,
)
from mmdet_lite.datasets.converters.forms.json_files import jsons_in_form
from mmdet_lite.datasets.converters.forms.splits import split_folder
from mmdet_lite.datasets.converters.picture_files import (
    PictureStore,
    add_sizes,
    below_common,
)
from mmdet_lite.datasets.converters.via_shapes import ellipse_outline
from mmdet_lite.ops.annotation_forms import ALL
from mmdet_lite.ops.box_faults import MOST_PIXELS
from mmdet_lite.ops.image_file import with_ending
from mmdet_lite.ops.json_text import Json, parse_json
from mmdet_lite.ops.rle import decode_crop, encode_crop, segmentation_to_rle

LOOKS_LIKE = "json files with shapes and imagePath, one a picture"
FLAT = ("line", "linestrip", "point", "points")  # shapes without area
FLAGS = ("crowd", "ignore", "difficult", "truncated", "occluded")
LABELS = "labels.txt"
NO_LABELS = ("__ignore__", "_background_")
STANDARD = {"id", "image_id", "category_id", "bbox", "segmentation", "area", "iscrowd"}


def evidence(path: Path) -> str | None:
    """Return which file says that it is LabelMe; None if none does."""
    found = jsons_in_form(path, "labelme")
    if not found:
        return None
    return found[0].name if found[0] == path else found[0].relative_to(path).as_posix()


def read(
    path: Path, image_root: Path | None, track: Track, complain: Complain
) -> list[AnnotatedImages]:
    """Read a folder of LabelMe files, or one file.

    Polygons, circles (32 corners) and masks become outlines, rectangles boxes without outline;
    shapes of one label and ``group_id`` are parts of one object. Lines and points have no area:
    they are left out and counted in the notes. Of the flags of a shape crowd, ignore, difficult,
    truncated and occluded are kept. ``labels.txt`` gives the order of the classes. A picture is
    where ``imagePath`` says, else beside the json; one that is nowhere but in ``imageData`` is
    listed in ``embedded``. Files in folders train, val and test are these splits.

    Raises:
        ValueError: a file is none of LabelMe's, or a shape is broken; names files and shapes.
    """
    files = [path] if path.is_file() else jsons_in_form(path, "labelme")
    home = path.parent if path.is_file() else path
    if not files:
        raise ValueError(f"{path} has no LabelMe file: expected {LOOKS_LIKE}")
    splits: dict[str, list[tuple[Path, Path, bool, Json]]] = {}
    folders: dict[str, list[Path]] = {}
    problems: list[str] = []
    flat = Counter[str]()
    for file in track(files, "LabelMe files"):
        try:
            content = _load(file)
            picture, there = _picture(content, file, image_root)
            image = {**_size(content), "objects": _objects(content, file, flat)}
        except (ValueError, TypeError) as error:
            problems.append(str(error))
            continue
        split, folder = split_folder(file, home)
        split = split or ALL
        folders.setdefault(split, []).append(folder)
        inside = not there and bool(content.get("imageData"))
        splits.setdefault(split, []).append((file, picture, inside, image))
    images, roots, embedded = {}, {}, {}
    for split, found in splits.items():
        likely = [*folders[split], home]
        roots[split], names = below_common([picture for _, picture, _, _ in found], likely)
        named = list(zip(names, found, strict=True))
        images[split] = [{"file_name": name, **image} for name, (_, _, _, image) in named]
        embedded[split] = {name: file for name, (file, _, inside, _) in named if inside}
        problems += add_sizes(images[split], roots[split], track)
    complain(problems, str(path))
    contents = coco_contents(images, _listed(home / LABELS))
    notes = _notes(flat)
    return [
        AnnotatedImages(c, roots[split], path, "labelme", split, notes, embedded[split])
        for split, c in contents.items()
    ]


def write(
    sets: Sequence[AnnotatedImages],
    out: Path,
    store: PictureStore,
    final: Path,
) -> list[str]:
    """Write SPLIT/NAME.json beside the pictures, and labels.txt; returns what is lost.

    Args:
        sets: with the same categories, file names of different stems.
        out: an empty folder.
        store: the pictures, by the sets' splits and file names. Those that stay where they are
            are referred to.
        final: where ``out`` will be in the end.
    """
    lost = Counter[str]()
    names = {c["id"]: c["name"] for c in sets[0].content["categories"]}
    for one in sets:
        part = "" if one.split == ALL else one.split
        for image, objects in with_objects(one, store.track):
            name = PurePosixPath(image["file_name"])
            target = out / part / name
            path = name.name
            if store.how == "none":
                there = store.path(one.split, image["file_name"])
                path = Path(os.path.relpath(there, (final / part / name).parent)).as_posix()
            store.bring(one.split, image["file_name"], target)
            shapes = _shapes(objects, names, image, lost)
            file = target.with_suffix(".json")
            file.parent.mkdir(parents=True, exist_ok=True)
            text = json.dumps(_document(shapes, path, image), indent=2, ensure_ascii=False)
            file.write_text(text, encoding="utf-8")
    labels = "".join(f"{name}\n" for name in names.values())
    (out / LABELS).write_text(labels, encoding="utf-8")
    return counted(lost)


def _document(shapes: list[Json], image_path: str, image: Json) -> Json:
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": image_path,
        "imageData": None,
        "imageHeight": image["height"],
        "imageWidth": image["width"],
    }


def _shapes(
    annotations: Sequence[Json], names: Mapping[int, str], image: Json, lost: Counter[str]
) -> list[Json]:
    """Shapes of a picture's objects; parts of one object share a group."""
    shapes: list[Json] = []
    for group, annotation in enumerate(annotations, 1):
        for key in {k for k, v in annotation.items() if v} - STANDARD - set(FLAGS):
            lost[f"objects lose {key!r}"] += 1
        flags = {f: True for f in FLAGS if annotation.get("iscrowd" if f == "crowd" else f)}
        common = {"label": names[annotation["category_id"]], "description": "", "flags": flags}
        segmentation = annotation.get("segmentation")
        if isinstance(segmentation, dict):
            rle = segmentation_to_rle(segmentation, image["height"], image["width"])
            segmentation = []  # an empty mask leaves the box
            if (mask := _mask_shape(rle)) is not None:
                shapes.append({**common, **mask, "group_id": None})
                continue
        if segmentation:
            number = group if len(segmentation) > 1 else None
            for polygon in segmentation:
                points = [list(p) for p in zip(polygon[0::2], polygon[1::2], strict=True)]
                part = {"points": points, "group_id": number, "shape_type": "polygon"}
                shapes.append({**common, **part})
        else:
            x, y, w, h = annotation["bbox"]
            points = [[x, y], [round(x + w, 9), round(y + h, 9)]]
            box = {"points": points, "group_id": None, "shape_type": "rectangle"}
            shapes.append({**common, **box})
    return shapes


def _mask_shape(rle: Json) -> Json | None:
    """LabelMe's shape of a mask: a PNG of its box, named by its first and its last pixel."""
    crop, x0, y0 = decode_crop(rle)
    height, width = crop.shape
    if not crop.size:
        return None
    buffer = io.BytesIO()
    Image.fromarray(crop.astype(bool)).save(buffer, "PNG")
    return {
        "points": [[x0, y0], [x0 + width - 1, y0 + height - 1]],
        "shape_type": "mask",
        "mask": base64.b64encode(buffer.getvalue()).decode("ascii"),
    }


def _load(file: Path) -> Json:
    content = parse_json(file.read_bytes(), str(file))
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        got = sorted(content)[:8] if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"{file} is no LabelMe file: expected a list of shapes, got {got}")
    return content


def _size(content: Json) -> dict[str, int]:
    """``height`` and ``width``, as far as they are pixels; else the picture is measured."""
    sides = {"height": content.get("imageHeight"), "width": content.get("imageWidth")}
    usable = all(isinstance(side, int) and 0 < side < MOST_PIXELS for side in sides.values())
    return {key: int(side) for key, side in sides.items()} if usable else {}  # type: ignore[arg-type]


def _picture(content: Json, file: Path, image_root: Path | None) -> tuple[Path, bool]:
    """Where the picture is, or should be, and whether it is there."""
    said = str(content.get("imagePath") or "").replace("\\", "/")
    name = PurePosixPath(said).name or f"{file.stem}.jpg"
    folders = [image_root] if image_root else []
    tried = [folder / said for folder in folders if said] + [folder / name for folder in folders]
    tried += [file.parent / (said or name), file.parent / name]
    for picture in tried:
        if picture.is_file():
            return picture, True
    beside = with_ending(str(file.with_suffix("")))
    return (Path(beside), True) if beside else (file.parent / name, False)


def _objects(content: Json, file: Path, flat: Counter[str]) -> list[Json]:
    """Objects of a file: the shapes, those of one label and group joined."""
    parts: dict[Any, list[tuple[str, Json]]] = {}
    for number, shape in enumerate(content["shapes"]):
        where = f"{file}, shape {number}"
        if not isinstance(shape, dict) or not str(shape.get("label") or "").strip():
            raise ValueError(f"{where} has no label")
        kind = shape.get("shape_type") or "polygon"
        if kind in FLAT:
            flat[kind] += 1
            continue
        group = shape.get("group_id")
        label = str(shape["label"]).strip()
        key = (label, number, None) if group is None else (label, None, group)
        parts.setdefault(key, []).append((where, shape))
    return [{"name": key[0], **_object(shapes, content)} for key, shapes in parts.items()]


def _object(parts: Sequence[tuple[str, Json]], content: Json) -> Json:
    """An object of one or several shapes."""
    obj: Json = {"iscrowd": 0}
    for _, shape in parts:
        flags = shape.get("flags")
        items = flags.items() if isinstance(flags, dict) else ()
        on = {str(flag).lower() for flag, value in items if value is True}
        obj.update({flag: 1 for flag in FLAGS if flag in on})
    if "crowd" in obj:
        obj["iscrowd"] = obj.pop("crowd")
    if any(shape.get("shape_type") == "mask" for _, shape in parts):
        return {**obj, **_joined_mask(parts, content)}
    outlines = [_outline(shape, where) for where, shape in parts]
    geometry = outlined(outlines)
    if all(shape.get("shape_type") == "rectangle" for _, shape in parts):
        x, y, w, h = geometry["bbox"]
        return {**obj, "bbox": [x, y, w, h]}
    return {**obj, **geometry}


def _outline(shape: Json, where: str) -> list[float]:
    """A shape's outline x1 y1 x2 y2 ..."""
    kind = shape.get("shape_type") or "polygon"
    points = shape.get("points")
    try:
        xy = [(float(x), float(y)) for x, y in points]  # type: ignore[union-attr]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: expected points [[x, y], ...], got {points!r:.60}") from error
    if not all(abs(value) < float("inf") for point in xy for value in point):
        raise ValueError(f"{where}: a coordinate is not finite")
    needed = {"rectangle": 2, "circle": 2}.get(kind, 3)
    if kind not in ("polygon", "rectangle", "circle", "oriented_rectangle", "rotation"):
        raise ValueError(f"{where}: shape type {kind!r} is not known")
    if len(xy) < needed or (kind == "circle" and len(xy) != needed):
        raise ValueError(f"{where}: a {kind} of {len(xy)} points; expected {needed}")
    if kind == "rectangle":
        xs, ys = sorted(x for x, _ in xy), sorted(y for _, y in xy)
        xy = [(xs[0], ys[0]), (xs[-1], ys[0]), (xs[-1], ys[-1]), (xs[0], ys[-1])]
    elif kind == "circle":
        (x, y), (edge_x, edge_y) = xy
        radius = float(np.hypot(edge_x - x, edge_y - y))
        xy = ellipse_outline(x, y, radius, radius)
    return [value for point in xy for value in point]


def _joined_mask(parts: Sequence[tuple[str, Json]], content: Json) -> Json:
    """``segmentation`` (RLE), ``bbox`` and ``area`` of shapes of which one is a mask."""
    size = _size(content)
    if not size:
        raise ValueError(f"{parts[0][0]}: a mask needs imageHeight and imageWidth in the file")
    height, width = size["height"], size["width"]
    frame = np.zeros((height, width), np.uint8)  # of one object at a time
    for where, shape in parts:
        if shape.get("shape_type") != "mask":
            rle = segmentation_to_rle([_outline(shape, where)], height, width)
            crop, x, y = decode_crop(rle)
        else:
            crop, x, y = _mask_crop(shape, where)
        if x < 0 or y < 0 or x + crop.shape[1] > width or y + crop.shape[0] > height:
            raise ValueError(f"{where}: its mask leaves the picture of {width} x {height}")
        frame[y : y + crop.shape[0], x : x + crop.shape[1]] |= crop
    rle = encode_crop(frame, 0, 0, (height, width))
    tight, x0, y0 = decode_crop(rle)
    return {
        "segmentation": {"size": rle["size"], "counts": rle["counts"].decode("ascii")},
        "bbox": [x0, y0, tight.shape[1], tight.shape[0]],
        "area": int(frame.sum()),
    }


def _mask_crop(shape: Json, where: str) -> tuple[Any, int, int]:
    try:
        (x1, y1), _ = shape["points"]
        image = Image.open(io.BytesIO(base64.b64decode(shape["mask"])))
        return (np.asarray(image.convert("L")) > 0).astype(np.uint8), int(x1), int(y1)
    except (KeyError, TypeError, ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{where}: its mask cannot be read: {error}") from error


def _listed(file: Path) -> list[str]:
    """Classes of labels.txt; none without the file."""
    if not file.is_file():
        return []
    return [name for name in listed_names(file) if name not in NO_LABELS]


def _notes(flat: Counter[str]) -> tuple[str, ...]:
    counts = ", ".join(f"{count} {kind}" for kind, count in flat.items())
    text = f"{flat.total()} shapes without area are left out: {counts}"
    return (text,) if flat else ()
