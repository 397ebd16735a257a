"""One mistake at a time: the check finds it and nothing else, training does what is said.

The rules of boxes, ids, categories, outlines, joints, images and duplicates are tested here, one
mistake of each kind of ``KINDS``.
"""

import copy

import cv2
import numpy as np
import pytest
from PIL import Image
from sets_to_spoil import draw_images

from mmdet_lite.datasets.check import KINDS

NAN = float("nan")
REFUSALS = (ValueError, TypeError, OSError)


def first(data):
    return data.content["annotations"][0]


def without_masks(data):
    data.with_mask = False
    for ann in data.content["annotations"]:
        ann["segmentation"] = []


def image_of(data, ann):
    return next(i for i in data.content["images"] if i["id"] == ann["image_id"])


def set_box(*numbers):
    def spoil(data):
        first(data)["bbox"] = list(numbers)

    return spoil


def set_key(key, value):
    def spoil(data):
        first(data)[key] = value

    return spoil


def lose_key(key):
    def spoil(data):
        del first(data)[key]

    return spoil


def add_polygon(*numbers):
    def spoil(data):
        first(data)["segmentation"].append(list(numbers))

    return spoil


def second_id(kind):
    def spoil(data):
        one, other = data.content[kind][:2]
        if kind == "images":
            for ann in data.content["annotations"]:
                if ann["image_id"] == other["id"]:
                    ann["image_id"] = one["id"]
        other["id"] = one["id"]

    return spoil


def category_id_twice(data):
    data.content["categories"].append({**data.content["categories"][0], "name": "third"})


def category_name_twice(data):
    data.content["categories"].append({**data.content["categories"][0], "id": 99})


def list_image_again(annotated):
    def spoil(data):
        image = data.content["images"][0]
        data.content["images"].append({**image, "id": 99})
        of_it = [a for a in data.content["annotations"] if a["image_id"] == image["id"]]
        copies = copy.deepcopy(of_it if annotated else of_it[:1])
        for number, ann in enumerate(copies):
            ann |= {"id": 10**7 + number, "image_id": 99}
        data.content["annotations"] += copies

    return spoil


def class_misspelt(data):
    data.classes = (data.classes[0] + "s", *data.classes[1:])


def class_left_out(data):
    data.classes = data.classes[:1]


def names_alike(data):
    name = data.classes[0].title() + " "
    data.content["categories"].append({"id": 98, "name": name})
    first(data)["category_id"] = 98
    data.classes = (*data.classes, name)


def class_never_used(data):
    data.content["categories"].append({"id": 98, "name": "unicorn"})
    data.classes = (*data.classes, "unicorn")


def box_outside(data):
    without_masks(data)
    first(data)["bbox"] = [image_of(data, first(data))["width"] + 3, 5, 20, 20]


def box_over_edge(data):
    without_masks(data)
    first(data)["bbox"] = [-12.5, 5, 40, 40]


def box_there_twice(data):
    data.content["annotations"].append({**first(data), "id": 10**7})


def all_boxes(form):
    def spoil(data):
        without_masks(data)
        for ann in data.content["annotations"]:
            x, y, w, h = ann["bbox"]
            image = image_of(data, ann)
            sides = [image["width"], image["height"]] * 2
            ann["bbox"] = {
                "xyxy": [x, y, x + w, y + h],
                "centred": [x + w / 2, y + h / 2, w, h],
                "normalised": [v / side for v, side in zip([x, y, w, h], sides, strict=True)],
            }[form]

    return spoil


def halve_outlines(data):
    for ann in data.content["annotations"]:
        ann["segmentation"] = [[v / 3 for v in polygon] for polygon in ann["segmentation"]]


def move_outline(data):
    polygon = np.array(first(data)["segmentation"][0]).reshape(-1, 2)
    low = polygon.min(axis=0)
    first(data)["segmentation"] = [(low + (polygon - low) * 0.3).ravel().tolist()]


def lose_one_mask_of_boxes(data):
    data.with_mask = False
    del first(data)["segmentation"]


def close_all_but_one(data):
    for ann in data.content["annotations"][1:]:
        ann["segmentation"] = [polygon + polygon[:2] for polygon in ann["segmentation"]]


def cross(data):
    x, y, w, h = first(data)["bbox"]
    first(data)["segmentation"] = [[x, y, x + w, y + h, x + w, y, x, y + 0.8 * h]]


def outline_beyond(data):
    height = image_of(data, first(data))["height"]
    x, _, w, _ = first(data)["bbox"]
    first(data)["bbox"] = [x, 20, w, height - 20]
    first(data)["segmentation"] = [[x, 20, x + w, 20, x + w, height + 9, x, height + 9]]


def rle(size, counts):
    def spoil(data):
        first(data)["segmentation"] = {"size": size, "counts": counts}

    return spoil


def rle_of_image(counts):
    def spoil(data):
        data.as_bitmaps = True  # where masks are polygons, RLEs are ignored and not decoded
        image = image_of(data, first(data))
        rle([image["height"], image["width"]], counts)(data)

    return spoil


rle_too_short = rle_of_image([5, 7, 3])


def with_keypoints(change):
    def spoil(data):
        data.content["categories"][0]["keypoints"] = ["nose", "tail"]
        for ann in data.content["annotations"]:
            x, y = ann["bbox"][:2]
            if ann["category_id"] == data.content["categories"][0]["id"]:
                ann["keypoints"] = [x + 2, y + 2, 2, x + 5, y + 5, 1]
        with_points = next(a for a in data.content["annotations"] if "keypoints" in a)
        with_points["keypoints"] = change(with_points["keypoints"])

    return spoil


def set_annotation_id(value):
    def spoil(data):
        data.content["annotations"][0]["id"] = value

    return spoil


def set_file_name(name):
    def spoil(data):
        data.content["images"].append({**data.content["images"][0], "id": 99, "file_name": name})

    return spoil


def set_channels(names):
    def spoil(data):
        image = {**data.content["images"][0], "id": 99, "channel_file_names": names}
        data.content["images"].append(image)

    return spoil


# code, what makes it, words of the message
CONTENT = [
    (
        "file-unreadable",
        lambda d: d.content.pop("categories"),
        "no COCO annotation file: expected",
    ),
    ("entry-broken", lose_key("category_id"), "it has no 'category_id'"),
    ("entry-broken", set_annotation_id(float("inf")), "id = inf is neither number nor text"),
    ("entry-broken", set_file_name(["1.png"]), "file_name = ['1.png'] is no name of a file"),
    ("entry-broken", set_channels("1.png"), "channel_file_names = '1.png' are no names"),
    ("image-id-twice", second_id("images"), "occurs more than once"),
    ("ann-id-twice", second_id("annotations"), "occurs more than once"),
    ("category-id-twice", category_id_twice, "give each its own id"),
    ("category-name-twice", category_name_twice, "give each its own name"),
    ("image-id-unknown", set_key("image_id", 424242), "424242 is not among the 8 images"),
    ("category-id-unknown", set_key("category_id", 77), "category_id 77 is not among"),
    ("file-annotated-twice", list_image_again(False), "would be trained as background"),
    ("file-name-twice", list_image_again(True), "the same: it counts as often"),
    ("class-not-in-file", class_misspelt, "did you mean"),
    ("category-not-in-classes", class_left_out, "their objects are background"),
    ("category-names-alike", names_alike, "differ only in case, blanks or dashes"),
    ("class-without-instances", class_never_used, "'unicorn' has no instance"),
    ("box-missing", lose_key("bbox"), "got None; draw the box"),
    ("box-missing", set_box(1, 2, "three", 4), "expected bbox = [x, y, width, height] in numbers"),
    ("box-missing", set_box(1, 2, 3, 10**400), "got [1, 2, 3, 1000"),
    ("box-not-finite", set_box(NAN, 2, 3, 4), "has a number that is none"),
    ("box-huge", set_box(1, 2, 3, 2**25), "is larger than any picture"),
    ("box-huge", set_box(1e308, 1e308, 1e308, 9), "is larger than any picture"),
    ("box-negative", set_box(50, 50, -10, 8), "[50, 50, -10, 8] has a width or height below 0"),
    ("box-empty", set_box(5, 5, 0, 10), "a width or height of 0"),
    ("box-outside", box_outside, "lies wholly outside of the picture"),
    ("box-over-edge", box_over_edge, "reaches 12.5 pixels beyond the picture"),
    ("box-twice", box_there_twice, "one object counts twice"),
    ("boxes-look-xyxy", all_boxes("xyxy"), "bbox = [x1, y1, x2 - x1, y2 - y1]"),
    ("boxes-look-centred", all_boxes("centred"), "the centre and the size"),
    ("boxes-look-normalised", all_boxes("normalised"), "multiply by its width and height"),
    ("boxes-masks-disagree", halve_outlines, "are not around their outlines"),
    ("box-mask-disagree", move_outline, "but its outline spans"),
    ("mask-missing", lose_key("segmentation"), "but the config trains masks"),
    ("mask-partly", lose_one_mask_of_boxes, "cannot be trained on this file"),
    ("polygon-malformed", set_key("segmentation", [{"x": 1}]), "expected segmentation = [[x1"),
    ("polygon-malformed", add_polygon(1, 2, 3, 4, 5, "6"), "expected segmentation = [[x1"),
    ("polygon-short", add_polygon(10, 10, 20, 20), "a polygon needs 3 points"),
    ("polygon-odd", add_polygon(10, 10, 20, 20, 30, 30, 40), "an odd number of numbers"),
    ("polygon-not-finite", add_polygon(10, 10, 20, 20, NAN, 30), "a number that is none"),
    ("polygon-far", add_polygon(10, 10, 20, 20, 2.0**23, 30), "millions of pixels away"),
    ("polygon-malformed", add_polygon("a", "b"), "expected segmentation = [[x1"),
    ("polygon-open", close_all_but_one, "does not end where it begins"),
    ("polygon-crossing", cross, "crosses itself"),
    ("polygon-outside", outline_beyond, "reaches 9.0 pixels beyond the picture"),
    ("rle-size", rle([7, 9], [63]), "its RLE has size [7, 9], its image is"),
    ("rle-counts", rle_too_short, "the counts of its RLE are 15 pixels"),
    ("rle-counts", rle_of_image([1.5, 2]), "expected whole numbers as counts"),
    ("rle-broken", rle_of_image("11"), "its RLE counts 2 pixels"),
    ("rle-broken", rle_of_image("zz~"), "no text as COCO writes it"),
    ("polygon-malformed", set_key("segmentation", {"counts": "11"}), "or an RLE, got"),
    ("value-unreadable", set_key("area", "12"), "expected area = a number, got '12'"),
    ("value-unreadable", set_key("iscrowd", "1"), "expected iscrowd = 0 or 1, got '1'"),
    ("value-unreadable", set_key("ignore", 2), "expected ignore = 0 or 1, got 2"),
    ("value-unreadable", with_keypoints(lambda p: [NAN, *p[1:]]), "its keypoints are not finite"),
    ("value-unreadable", with_keypoints(lambda p: [2**25, *p[1:]]), "or far away"),
    ("area-missing", lose_key("area"), "the box's area is taken"),
    ("area-missing", set_key("area", None), "the box's area is taken"),
    ("area-wrong", set_key("area", 0), "area = 0, though its box is"),
    ("area-not-finite", set_key("area", NAN), "area = nan, though its box is"),
    ("area-not-finite", set_key("area", 10**400), "correct it"),
    ("iscrowd-missing", lose_key("iscrowd"), "0 is taken"),
    ("iscrowd-missing", set_key("iscrowd", None), "0 is taken"),
    ("keypoints-length", with_keypoints(lambda p: p[:-1]), "with 6 numbers"),
    ("keypoints-outside", with_keypoints(lambda p: [-30, *p[1:]]), "lie beyond the picture"),
    ("keypoints-visibility", with_keypoints(lambda p: [*p[:-1], 3]), "got [2, 3]"),
]


def ids_as_text(data):
    for image in data.content["images"]:
        image["id"] = str(image["id"])


def name_misspelt(data):
    name = "giraffe", "girafef"
    data.content["categories"][0]["name"] = name[0]
    data.content["categories"].append({"id": 98, "name": name[1]})
    next(
        a
        for a in data.content["annotations"]
        if a["category_id"] == data.content["categories"][0]["id"]
    )["category_id"] = 98
    data.classes = (name[0], data.classes[1], name[1])


def box_in_corners(data):
    x, y = 20, 30
    polygon = [x, y, x + 9, y, x + 9, y + 9, x, y + 9]
    first(data).update(segmentation=[polygon], bbox=[x, y, x + 9, y + 9], area=81)


def no_annotations(data):
    data.content["annotations"] = []
    data.filter_cfg = {}


def flat_polygon(data):
    x, y, w, _ = first(data)["bbox"]
    first(data)["segmentation"].append([x, y + 9, x + w / 2, y + 9, x + w, y + 9])


def tiny_box(data):
    without_masks(data)
    first(data)["bbox"] = [20, 20, 0.5, 10]


def none_with_objects(data):
    for ann in data.content["annotations"]:
        ann["ignore"] = 1


CONTENT += [
    ("nothing-left", none_with_objects, "annotations: marked ignore, 8 images: without"),
    ("set-empty", no_annotations, "0 of 8 images"),
    ("category-names-alike", name_misspelt, "did you mean 'giraffe'?"),
    ("box-looks-xyxy", box_in_corners, "bbox = [20, 30, 29, 39] are the corners"),
    ("polygon-flat", flat_polygon, "its points are on a line"),
    ("box-tiny", tiny_box, "a side below one pixel"),
]


def cut(data):
    path = data.path(0)
    path.write_bytes(path.read_bytes()[:-40])


def resize(data):
    cv2.imwrite(str(data.path(0)), cv2.imread(str(data.path(0)))[:100, :120])


def turn(data):
    cv2.imwrite(str(data.path(0)), np.rot90(cv2.imread(str(data.path(0)))))


def save_jpeg(data, orientation, pixels):
    """Replace the first picture by a JPEG with an EXIF orientation."""
    image = data.content["images"][0]
    data.path(0).unlink()
    image["file_name"] = "turned.jpg"
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(np.ascontiguousarray(pixels)).save(data.path(0), exif=exif)


def annotated_without_exif(data):
    save_jpeg(data, 6, cv2.imread(str(data.path(0))))


def stored_lying(data):
    save_jpeg(data, 6, np.rot90(cv2.imread(str(data.path(0)))))


def sixteen_bit(data):
    pixels = cv2.imread(str(data.path(0)), cv2.IMREAD_GRAYSCALE).astype(np.uint16) * 257
    cv2.imwrite(str(data.path(0)), pixels)


def twelve_bit(data):
    pixels = cv2.imread(str(data.path(0)), cv2.IMREAD_GRAYSCALE).astype(np.uint16) * 16
    cv2.imwrite(str(data.path(0)), pixels)


def print_colours(data):
    data.content["images"][0]["file_name"] = "print.jpg"
    pixels = Image.open(data.pictures / "1.png").convert("CMYK")
    (data.pictures / "1.png").unlink()
    pixels.save(data.path(0))


def extra_picture(data):
    other = {**data.content["images"][0], "id": 77, "file_name": "x.png"}
    draw_images({"images": [other]}, data.pictures)


def same_picture(data):
    data.path(1).write_bytes(data.path(0).read_bytes())


def similar_picture(data):
    pixels = cv2.imread(str(data.path(0))).astype(np.int16) + 6
    cv2.imwrite(str(data.path(1)), pixels.clip(0, 255).astype(np.uint8))


PICTURES = [
    ("image-missing", lambda d: d.path(0).unlink(), "1 of 8 pictures"),
    ("image-broken", cut, "the picture is cut off"),
    ("image-broken", lambda d: d.path(0).write_bytes(b""), "the file is empty"),
    ("image-broken", lambda d: d.path(0).write_text("<html>"), "it is no picture but a web page"),
    ("image-size", resize, "measures 120x100"),
    ("image-size-swapped", turn, "correct width and height in the annotation file"),
    ("image-size-swapped", annotated_without_exif, "color_type='color_ignore_orientation'"),
    ("image-turned", stored_lying, "1 pictures"),
    ("image-mode", sixteen_bit, "16 bit, loaded as 8"),
    ("image-mode", print_colours, "CMYK"),
    ("image-unlisted", extra_picture, "x.png"),
    ("content-twice", same_picture, "but annotated differently, so one is wrong"),
    ("near-twice", similar_picture, "looks almost like"),
]


def codes(report):
    return {finding.code for finding in report.findings}


def ids_of(table):
    return [f"{code}-{n}" for n, (code, _, _) in enumerate(table)]


def check_one(data, code, words, with_pictures):
    """The check finds ``code`` alone; training does what the table of kinds says."""
    report = data.checked(with_pictures)
    assert codes(report) == {code}
    message = report.findings[0].message
    assert words in message
    assert report.findings[0].severity == KINDS[code].severity
    says = KINDS[code].training
    if says.startswith(("refuses", "stops")):
        with pytest.raises(REFUSALS) as refusal:
            data.train()
        assert str(refusal.value)
        return
    samples = data.train()
    assert samples
    count = 0
    for sample in samples:
        found = sample["data_samples"]
        boxes = found.gt_instances.bboxes
        height, width = found.img_shape
        assert bool(boxes.isfinite().all()) and bool((boxes[:, 2:] > boxes[:, :2]).all())
        assert bool((boxes >= 0).all()) and bool((boxes[:, 2] <= width + 0.01).all())
        assert bool((boxes[:, 3] <= height + 0.01).all())
        count += len(boxes)
    if says.startswith("leaves"):
        assert count < len(data.content["annotations"])


def test_sets_without_a_mistake_have_no_finding(any_set):
    assert codes(any_set.checked()) == set()
    any_set.train()


@pytest.mark.parametrize(("code", "spoil", "words"), CONTENT, ids=ids_of(CONTENT))
def test_mistake_in_the_annotations_is_found(any_set, code, spoil, words):
    spoil(any_set)
    check_one(any_set, code, words, with_pictures=False)


@pytest.mark.parametrize(("code", "spoil", "words"), PICTURES, ids=ids_of(PICTURES))
def test_mistake_in_the_pictures_is_found(drawn_set, code, spoil, words):
    spoil(drawn_set)
    check_one(drawn_set, code, words, with_pictures=True)


def test_pictures_of_a_12_bit_camera_are_found_dark(drawn_set):
    twelve_bit(drawn_set)
    report = drawn_set.checked(with_pictures=True)
    assert codes(report) == {"image-mode", "image-dark"}
    assert "almost black" in report.by_code()["image-dark"][0].message


def test_ids_as_text_are_one_finding_that_says_so(drawn_set):
    ids_as_text(drawn_set)
    (finding,) = drawn_set.checked().by_code()["image-id-unknown"]
    assert finding.count == len(drawn_set.content["annotations"])
    assert "one is a number, the other text" in finding.message


def test_annotations_of_a_broken_image_are_not_said_to_be_lost(drawn_set):
    del drawn_set.content["images"][0]["width"]
    assert codes(drawn_set.checked(with_pictures=True)) == {"entry-broken"}


def test_all_kinds_are_tested_here_or_in_other_files():
    here = {code for code, _, _ in CONTENT + PICTURES}
    elsewhere = {  # test_rules.py and tests/cli/test_check_data.py
        "leak", "leak-near", "val-is-train", "classes-differ", "category-order",
        "head-classes", "checkpoint-classes", "image-dark", "set-refused", "form-note",
    }  # fmt: skip
    assert here | elsewhere == set(KINDS)
