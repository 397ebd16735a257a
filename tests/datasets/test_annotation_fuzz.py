"""Whatever is wrong with an annotation file: a clear error that names a file, or a correct set."""

import copy
import json
import math
import re
import traceback
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.converters.annotated_images import read_annotated
from mmdet_lite.datasets.xml_style import XMLDataset

QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SHORT = settings(QUICK, max_examples=25)  # for what is run in many forms
LONG = settings(QUICK, max_examples=5000, derandomize=False)

# What turns up where something else belongs.
JUNK = [
    *(None, True, False, "", "12", "x", "Ünï 名", -1, 0, 0.5, 7, 2**31, 1e20, 1e308, 10**30),
    *(-(10**30), 10**400, math.nan, math.inf, -math.inf, [], {}, [[]], [1, 2, 3], [None]),
    *(["a", "b"], {"a": 1}, [[1, 2, 3, 4, 5, "6"]], [[1, 2, 3, 4, 5, math.nan]]),
    *({"size": [30, 40], "counts": "PPYo1"}, {"size": [30, 40], "counts": [-5, 1205]}),
    *({"size": [30, 40], "counts": "zz\x7f"}, {"size": [30, 40], "counts": [1e3, 2e2]}),
]
KINDS = (
    *("junk", "junk", "junk", "remove", "text", "negate", "grow", "wrap", "unwrap"),
    *("double", "swap", "reverse", "copy"),
)
BREAKS = st.lists(
    st.tuples(st.integers(0, 2000), st.sampled_from(KINDS), st.integers(0, 2000)),
    min_size=1,
    max_size=3,
)
CLASSES = st.sampled_from([None, ("dog", "cat"), ("cat",), ("cat", "dog", "Ünï 名")])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the pictures of ``content``."""
    root = tmp_path_factory.mktemp("broken")
    (root / "images").mkdir()
    for name, (height, width) in {"a.png": (40, 30), "b.png": (30, 40), "ü.png": (30, 40)}.items():
        data = cv2.imencode(".png", np.full((height, width, 3), 90, np.uint8))[1]
        (root / "images" / name).write_bytes(data.tobytes())
    return root


def content():
    """A correct file, small, with every form of an outline."""
    polygon = [[2, 3, 12, 3, 12, 23, 2, 23]]
    two = [[15.5, 10, 25, 10, 25, 20], [15, 10, 25, 20, 15, 20.25]]
    compressed = coco_mask.frPyObjects([[1, 1, 9, 1, 9, 9]], 30, 40)[0]
    rows = [
        (1, 7, 2, [2, 3, 10, 20], 0, polygon),
        (2, 7, 9, [15, 10, 10.5, 10.5], 0, two),
        (3, 5, 9, [0, 0, 20, 30], 1, {"size": [30, 40], "counts": [0, 600, 600]}),
        (4, 5, 11, [1, 1, 8, 8], 0, {"size": [30, 40], "counts": compressed["counts"].decode()}),
    ]
    keys = ("id", "image_id", "category_id", "bbox", "iscrowd", "segmentation")
    return {
        "info": {"year": 2026},
        "images": [
            {"id": 7, "file_name": "a.png", "height": 40, "width": 30},
            {"id": 3, "file_name": "b.png", "height": 30, "width": 40},
            {"id": 5, "file_name": "ü.png", "height": 30, "width": 40},
        ],
        "categories": [
            {"id": 9, "name": "dog"},
            {"id": 2, "name": "cat", "supercategory": "animal"},
            {"id": 11, "name": "Ünï 名"},
        ],
        "annotations": [{**dict(zip(keys, row, strict=True)), "area": 200.5} for row in rows],
    }


def places(node):
    """Every (container, key) below a json value, in order."""
    keys = list(node) if isinstance(node, dict) else range(len(node))
    found = []
    for key in keys:
        found.append((node, key))
        if isinstance(node[key], dict | list):
            found += places(node[key])
    return found


def broken(node, breaks):
    """A copy of a json value with some places changed as files really break."""
    node = copy.deepcopy(node)
    for number, kind, choice in breaks:
        there = places(node)
        if not there:
            break
        holder, key = there[number % len(there)]
        other, other_key = there[choice % len(there)]
        change(holder, key, kind, choice, other, other_key)
    return node


def change(holder, key, kind, choice, other, other_key):
    """Break one place."""
    value = copy.deepcopy(holder[key])
    if kind == "remove":
        del holder[key]
    elif kind == "double":
        if isinstance(holder, list):
            holder.insert(choice % (len(holder) + 1), value)
    elif kind == "swap":
        holder[key] = copy.deepcopy(other[other_key])
        if other is not holder or other_key != key:
            other[other_key] = value
    elif kind == "copy":
        holder[key] = copy.deepcopy(other[other_key])
    else:
        holder[key] = changed_value(value, kind, choice)


def changed_value(value, kind, choice):
    """What stands there instead."""
    if kind == "junk":
        return copy.deepcopy(JUNK[choice % len(JUNK)])
    if kind == "text":
        return str(value)
    if kind == "wrap":
        return [value]
    if kind in ("negate", "grow") and isinstance(value, int | float):
        return -value if kind == "negate" else value * 1000
    if kind == "unwrap" and isinstance(value, list) and value:
        return value[0]
    if kind == "reverse" and isinstance(value, list):
        return value[::-1]
    return value


def assert_clear(error, files):
    """The error is one for users: raised by our own code, and it names the file."""
    ours = type(error).__module__.startswith("mmdet_lite.")
    plain = type(error) in (ValueError, FileNotFoundError, TypeError)
    innermost = traceback.extract_tb(error.__traceback__)[-1].filename
    clear = (
        isinstance(error, ValueError | FileNotFoundError | TypeError)
        and (ours or plain)
        and "mmdet_lite" in Path(innermost).parts
        and any(file in str(error) for file in files)
        and len(str(error)) < 3000
    )
    assert clear, "".join(traceback.format_exception(error))


def assert_same_set(dataset, truth, logged):
    """Every annotation of the file is there as it should be, or was counted in the log."""
    names = {category["id"]: category["name"] for category in truth["categories"]}
    assert len(dataset) == len(truth["images"])
    left_out = 0
    for n, image in enumerate(truth["images"]):
        annotations = [a for a in truth.get("annotations", []) if a["image_id"] == image["id"]]
        classes = dataset.metainfo["classes"]
        kept = [a for a in annotations if is_usable(a, image, names, classes)]
        left_out += len(annotations) - len(kept)
        sample = dataset[n]
        assert sample["img_id"] == image["id"]
        assert Path(sample["img_path"]).name == Path(image["file_name"]).name
        boxes = [[x, y, x + w, y + h] for x, y, w, h in (a["bbox"] for a in kept)]
        np.testing.assert_allclose(
            sample["gt_bboxes"], np.array(boxes, np.float32).reshape(-1, 4), rtol=1e-6
        )
        assert np.isfinite(sample["gt_bboxes"]).all()
        labels = [classes.index(names[a["category_id"]]) for a in kept]
        assert sample["gt_bboxes_labels"].tolist() == labels
        if "gt_masks" in sample:
            assert_same_masks(sample, kept, image)
        else:
            crowds = [bool(a.get("iscrowd", 0)) for a in kept]
            assert sample["gt_ignore_flags"].tolist() == crowds
    counts = [re.findall(r"left out: (.*?)(?:;|$)", text) for text in logged]
    told = [int(n) for found in counts for part in found for n in re.findall(r"(\d+) x ", part)]
    assert sum(told) == left_out, logged


def is_usable(ann, image, names, classes):
    """Whether an annotation is an object of the set, said in another way than the program does."""
    if names[ann["category_id"]] not in classes:
        return False
    assert all(ann.get(flag) in (0, 1, None) for flag in ("iscrowd", "ignore"))
    if ann.get("ignore"):
        return False
    x, y, w, h = ann["bbox"]
    assert all(isinstance(v, int | float) for v in ann["bbox"]), "a box of no numbers was taken"
    if not all(abs(v) < 2**24 for v in (x, y, w, h)):  # NaN and infinite ones too
        return False
    no_area = ann.get("area") is not None and ann["area"] <= 0  # NaN says nothing
    seen_w = min(x + w, image["width"]) - max(x, 0)
    seen_h = min(y + h, image["height"]) - max(y, 0)
    return w >= 1 and h >= 1 and not no_area and seen_w > 0 and seen_h > 0


def assert_same_masks(sample, kept, image):
    """Pixels and ignore flags are what pycocotools draws."""
    height, width = image["height"], image["width"]
    drawn = sample["gt_masks"].to_ndarray()
    assert drawn.shape == (len(kept), height, width)
    for mask, ann, ignored in zip(drawn, kept, sample["gt_ignore_flags"], strict=True):
        segmentation = ann["segmentation"]
        if isinstance(segmentation, list):
            segmentation = [
                part
                for part in segmentation
                if len(part) >= 6 and len(part) % 2 == 0 and all(abs(v) < 1e5 for v in part)
            ]
        whole = bool(segmentation)
        assert ignored == (bool(ann.get("iscrowd", 0)) or not whole)
        if not whole:
            assert not mask.any()
            continue
        rle = segmentation
        if isinstance(segmentation, list):
            rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
        elif isinstance(segmentation["counts"], list):
            rle = coco_mask.frPyObjects(segmentation, height, width)
        np.testing.assert_array_equal(mask, coco_mask.decode(rle))


def load_and_check(folder, text, truth, classes, with_mask, monkeypatch):
    """Load a file as a config would; ``truth`` is its content, None if it must be refused."""
    (folder / "ann.json").write_bytes(text)
    logged = []
    for module in ("base", "coco"):
        monkeypatch.setattr(
            f"mmdet_lite.datasets.{module}.print_log", lambda text, *_, **__: logged.append(text)
        )
    try:
        dataset = CocoDataset(
            data_root=str(folder),
            ann_file="ann.json",
            data_prefix={"img": "images/"},
            metainfo={} if classes is None else {"classes": classes},
            pipeline=[
                {"type": "LoadImageFromFile"},
                {"type": "LoadAnnotations", "with_mask": with_mask},
            ],
            test_mode=True,
        )
        for n in range(len(dataset)):
            dataset[n]
    except Exception as error:
        assert_clear(error, ("ann.json", "images/", "metainfo.classes"))
        return error
    assert truth is not None, "a broken file was taken"
    assert_same_set(dataset, truth, logged)
    return dataset


def test_the_unbroken_file_is_a_correct_set(folder, monkeypatch):
    text = json.dumps(content()).encode()
    for classes in (None, ("cat",), ("Ünï 名", "cat", "dog")):
        found = load_and_check(folder, text, content(), classes, True, monkeypatch)
        assert len(found) == 3


def check_broken(folder, breaks, classes, with_mask, monkeypatch):
    changed = broken(content(), breaks)
    text = json.dumps(changed).encode()
    # what json can hold: tuples and keys are as they come back
    load_and_check(folder, text, json.loads(text), classes, with_mask, monkeypatch)


@QUICK
@given(breaks=BREAKS, classes=CLASSES, with_mask=st.booleans())
def test_broken_coco_ends_in_a_clear_error_or_a_correct_set(folder, breaks, classes, with_mask):
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_broken(folder, breaks, classes, with_mask, monkeypatch)


@pytest.mark.slow
@LONG
@given(breaks=BREAKS, classes=CLASSES, with_mask=st.booleans())
def test_broken_coco_for_long(folder, breaks, classes, with_mask):
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_broken(folder, breaks, classes, with_mask, monkeypatch)


@pytest.mark.slow
def test_every_place_with_every_junk(folder, monkeypatch):
    kinds = sorted(set(KINDS) - {"junk", "swap", "copy", "double"})
    for number in range(len(places(content()))):
        for choice in range(len(JUNK)):
            check_broken(folder, [(number, "junk", choice)], None, True, monkeypatch)
        for kind in kinds:
            check_broken(folder, [(number, kind, 0)], None, True, monkeypatch)


TEXT = json.dumps(content()).encode()
INSERTED = [
    *(b"", b",", b"]", b'"', b"[", b"NaN", b"-Infinity", b"1e999", b"\x00", b"\xff", b"// no\n")
]


@QUICK
@given(
    start=st.integers(0, len(TEXT)),
    length=st.sampled_from([0, 1, 7, 10**6]),
    inserted=st.sampled_from(INSERTED),
)
@example(start=0, length=0, inserted=b"\xef\xbb\xbf")  # a byte order mark, as Windows writes it
@example(start=0, length=10**6, inserted=b"")
@example(start=0, length=10**6, inserted=b"[" * 100_000)
@example(start=0, length=10**6, inserted=b"[]")
@example(start=0, length=10**6, inserted=b"null")
@example(start=0, length=10**6, inserted=b'"images"')
@example(start=0, length=10**6, inserted=b'{"images": [], "categories": []}')
@example(start=0, length=10**6, inserted=TEXT.decode().encode("utf-16"))
def test_broken_text_ends_in_a_clear_error_or_a_correct_set(folder, start, length, inserted):
    text = TEXT[:start] + inserted + TEXT[start + length :]
    try:
        truth = json.loads(text)
    except (ValueError, RecursionError):
        truth = None
    with pytest.MonkeyPatch.context() as monkeypatch:
        load_and_check(folder, text, truth, ("cat", "dog"), True, monkeypatch)


XML = """<annotation><folder>x</folder><filename>{name}.png</filename>
<size><width>{width}</width><height>{height}</height><depth>3</depth></size>
<object><name>cat</name><pose>Left</pose><truncated>0</truncated><difficult>0</difficult>
<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>12.5</xmax><ymax>23</ymax></bndbox></object>
<object><name>dog</name><difficult>1</difficult>
<bndbox><xmin>5</xmin><ymin>5</ymin><xmax>20</xmax><ymax>20</ymax></bndbox></object>
</annotation>"""
XML_CORNERS = ("xmin", "ymin", "xmax", "ymax")
XML_SIZES = {"a": (40, 30), "b": (30, 40)}
XML_TEXTS = [
    *("", " ", "0", "-1", "1e9", "1e400", "nan", "inf", "12,5", "x", "cat", "Cat", "3.0", " 7 "),
    *("999999999999999999999", "Ünï 名", "true", "None", "0x10", "1_000"),
]
XML_KINDS = ("text", "text", "text", "remove", "double", "rename", "swap", "empty")
XML_BREAKS = st.lists(
    st.tuples(st.integers(0, 100), st.sampled_from(XML_KINDS), st.integers(0, 100)),
    min_size=1,
    max_size=3,
)


def broken_xml(text, breaks):
    """An XML with some elements changed."""
    root = ElementTree.fromstring(text)
    for number, kind, choice in breaks:
        pairs = [(parent, child) for parent in root.iter() for child in parent]
        if not pairs:
            break
        parent, child = pairs[number % len(pairs)]
        other = pairs[choice % len(pairs)][1]
        if kind == "text":
            child.text = XML_TEXTS[choice % len(XML_TEXTS)]
        elif kind == "remove":
            parent.remove(child)
        elif kind == "double":
            parent.append(copy.deepcopy(child))
        elif kind == "rename":
            child.tag = ("size", "object", "name", "bndbox", "xmin", "junk")[choice % 6]
        elif kind == "swap":
            child.text, other.text = other.text, child.text
        else:
            child.clear()
    return ElementTree.tostring(root)


def usable_xml_objects(root, height, width):
    """Name, box and difficult of the objects that count, said in another way than the program."""
    kept, left_out = [], 0
    for element in root.findall("object"):
        corners = [float(element.find(f"bndbox/{c}").text) - 1 for c in XML_CORNERS]
        x1, y1, x2, y2 = corners
        inside = min(x2, width) > max(x1, 0) and min(y2, height) > max(y1, 0)
        large = all(abs(c) < 2**24 for c in corners) and x2 - x1 >= 1 and y2 - y1 >= 1
        name = element.find("name").text.strip()
        if inside and large and name in ("cat", "dog"):
            difficult = (element.findtext("difficult") or "").strip().lower() in ("1", "true")
            kept.append((corners, ("cat", "dog").index(name), difficult))
        else:
            left_out += 1
    return kept, left_out


def check_broken_xml(root, text, monkeypatch):
    logged = []
    for module in ("base", "xml_style"):
        monkeypatch.setattr(
            f"mmdet_lite.datasets.{module}.print_log", lambda text, *_, **__: logged.append(text)
        )
    (root / "list.txt").write_text("a\nb\n")
    height, width = XML_SIZES["b"]
    (root / "b.xml").write_text(XML.format(name="b", height=height, width=width))
    (root / "a.xml").write_bytes(text)
    try:
        dataset = XMLDataset(
            ann_file="list.txt",
            data_root=str(root),
            data_prefix={"sub_data_root": ""},
            img_subdir="images",
            ann_subdir="",
            metainfo={"classes": ("cat", "dog")},
            pipeline=[{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}],
            test_mode=True,
        )
        samples = [dataset[0], dataset[1]]
    except Exception as error:
        assert_clear(error, ("a.xml", "list.txt", "images/"))
        return
    total = 0
    for sample, name in zip(samples, "ab", strict=True):
        tree = ElementTree.parse(root / f"{name}.xml").getroot()
        kept, left_out = usable_xml_objects(tree, *XML_SIZES[name])
        total += left_out
        boxes = np.array([corners for corners, _, _ in kept], np.float32).reshape(-1, 4)
        np.testing.assert_allclose(sample["gt_bboxes"], boxes, rtol=1e-6)
        assert sample["gt_bboxes_labels"].tolist() == [label for _, label, _ in kept]
        assert sample["gt_ignore_flags"].tolist() == [difficult for _, _, difficult in kept]
    counts = [re.findall(r"left out: (.*?)(?:;|$)", line) for line in logged]
    told = [int(n) for found in counts for part in found for n in re.findall(r"(\d+) x ", part)]
    assert sum(told) == total, logged


@SHORT
@given(breaks=XML_BREAKS)
def test_broken_xml_ends_in_a_clear_error_or_a_correct_set(folder, breaks):
    height, width = XML_SIZES["a"]
    text = XML.format(name="a", height=height, width=width)
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_broken_xml(folder, broken_xml(text, breaks), monkeypatch)


@pytest.mark.slow
@LONG
@given(breaks=XML_BREAKS)
def test_broken_xml_for_long(folder, breaks):
    text = XML.format(name="a", height=XML_SIZES["a"][0], width=XML_SIZES["a"][1])
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_broken_xml(folder, broken_xml(text, breaks), monkeypatch)


@QUICK
@given(
    start=st.integers(0, len(XML)),
    length=st.sampled_from([0, 1, 9, 10**6]),
    inserted=st.sampled_from([b"", b"<", b"&", b"\xff", b"\x00", b"</object>", b"<!--"]),
)
@example(start=0, length=0, inserted=b"\xef\xbb\xbf")
@example(start=0, length=10**6, inserted=b"")
@example(start=0, length=10**6, inserted=b"{}")
def test_broken_xml_text_ends_in_a_clear_error_or_a_correct_set(folder, start, length, inserted):
    whole = XML.format(name="a", height=XML_SIZES["a"][0], width=XML_SIZES["a"][1]).encode()
    with pytest.MonkeyPatch.context() as monkeypatch:
        check_broken_xml(folder, whole[:start] + inserted + whole[start + length :], monkeypatch)


LABELME = {
    "version": "5.0.1",
    "flags": {},
    "shapes": [
        {
            "label": "cat", "points": [[2, 3], [12.5, 3], [12, 23]], "group_id": None,
            "shape_type": "polygon", "flags": {},
        },
        {"label": "dog", "points": [[5, 5], [20, 20]], "shape_type": "rectangle", "flags": {}},
        {"label": "dog", "points": [[15, 15], [15, 20]], "shape_type": "circle", "flags": {}},
    ],
    "imagePath": "a.png",
    "imageData": None,
    "imageHeight": 40,
    "imageWidth": 30,
}  # fmt: skip
VIA = {
    "a.png1": {
        "filename": "a.png",
        "size": 1,
        "regions": [
            {
                "shape_attributes": {
                    "name": "polygon",
                    "all_points_x": [2, 12, 12.5],
                    "all_points_y": [3, 3, 23],
                },
                "region_attributes": {"name": "cat"},
            },
            {
                "shape_attributes": {"name": "rect", "x": 5, "y": 5, "width": 9, "height": 9},
                "region_attributes": {"name": "dog"},
            },
        ],
        "file_attributes": {},
    }
}
YOLO = "0 0.4 0.5 0.3 0.25\n1 0.1 0.1 0.5 0.1 0.5 0.5\n\n1 0.5 0.5 0.2 0.2\n"
CSV = (
    "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    "a.png,30,40,cat,2,3,12.5,23\na.png,30,40,dog,5,5,14,14\nb.png,40,30,dog,5,5,14,14\n"
)
# form: the file that is broken, the others that it needs, its text
TEXT_FORMS = {
    "labelme": ("a.json", {}, json.dumps(LABELME)),
    "via": ("via_region_data.json", {}, json.dumps(VIA)),
    "yolo": ("labels/a.txt", {"classes.txt": "cat\ndog\n"}, YOLO),
    "csv": ("boxes.csv", {}, CSV),
}
WORDS = [*XML_TEXTS, "5", "0.5", "-0.25", '"', ",", ";", "a.png", "nowhere.png", "../a.png"]
WORD_BREAKS = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.sampled_from(("word", "word", "drop", "double", "line", "cut")),
        st.integers(0, 200),
    ),
    min_size=1,
    max_size=3,
)


def broken_words(text, breaks):
    """A text of lines of words, with some words or lines changed."""
    for number, kind, choice in breaks:
        words = re.split(r"([ ,\n]+)", text)  # words and what is between them, in turns
        at = number % len(words)
        if kind == "word":
            words[at] = WORDS[choice % len(WORDS)]
        elif kind == "drop":
            del words[at : at + 1 + choice % 3]
        elif kind == "double":
            words.insert(at, words[choice % len(words)])
        elif kind == "cut":
            words = words[:at]
        text = "".join(words)
        if kind == "line":
            lines = text.split("\n")
            lines.insert(number % len(lines), lines[choice % len(lines)])
            text = "\n".join(lines)
    return text


def broken_text(form, breaks):
    """The file of a form, broken in its own way."""
    text = TEXT_FORMS[form][2]
    if form in ("labelme", "via"):
        return json.dumps(broken(json.loads(text), breaks))
    return broken_words(text, breaks)


def check_form(folder, form, text):
    """What is read is a set that loads, with every object or a note about those that are not."""
    name, others, _ = TEXT_FORMS[form]
    root = folder / form
    pictures = root / "images" if form == "yolo" else root
    for path in (root / name, pictures / "x"):
        path.parent.mkdir(parents=True, exist_ok=True)
    for picture in ("a.png", "b.png"):
        (pictures / picture).write_bytes((folder / "images" / picture).read_bytes())
    for other, content_of_other in others.items():
        (root / other).write_text(content_of_other)
    (root / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    files = (Path(name).name, *others, "a.png", "b.png", str(root))
    try:
        sets = read_annotated(root, form)
    except Exception as error:
        assert_clear(error, files)
        return None
    for one in sets:
        (folder / "ann.json").write_text(json.dumps(one.content))
        try:
            dataset = CocoDataset(
                ann_file=str(folder / "ann.json"),
                data_prefix={"img": str(one.image_root)},
                pipeline=[{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations"}],
                test_mode=True,
            )
            for n in range(len(dataset)):
                assert np.isfinite(dataset[n]["gt_bboxes"]).all()
        except Exception as error:
            assert_clear(error, (*files, "ann.json"))
    return sets


@pytest.mark.parametrize("form", TEXT_FORMS)
def test_unbroken_forms_are_read_whole(form, folder):
    (one,) = check_form(folder, form, TEXT_FORMS[form][2])
    number = {"labelme": 3, "via": 2, "yolo": 3, "csv": 3}[form]
    assert len(one.content["annotations"]) == number and not one.notes


def check_broken_form(folder, form, breaks):
    text = broken_text(form, breaks)
    sets = check_form(folder, form, text)
    if sets is None:
        return
    found = sum(len(one.content["annotations"]) for one in sets)
    if form == "yolo":
        written = sum(bool(line.strip()) for line in text.splitlines())
    elif form == "labelme":
        shapes = json.loads(text).get("shapes") or []
        groups = {str(shape["group_id"]) for shape in shapes if shape.get("group_id") is not None}
        written = sum(shape.get("group_id") is None for shape in shapes) + len(groups)
    else:
        return
    assert found >= written or any(one.notes for one in sets), "objects were dropped in silence"


@pytest.mark.parametrize("form", TEXT_FORMS)
@SHORT
@given(breaks=BREAKS, words=WORD_BREAKS)
def test_broken_forms_end_in_a_clear_error_or_a_set_that_loads(folder, form, breaks, words):
    check_broken_form(folder, form, breaks if form in ("labelme", "via") else words)


@pytest.mark.slow
@pytest.mark.parametrize("form", TEXT_FORMS)
@LONG
@given(breaks=BREAKS, words=WORD_BREAKS)
def test_broken_forms_for_long(folder, form, breaks, words):
    check_broken_form(folder, form, breaks if form in ("labelme", "via") else words)
