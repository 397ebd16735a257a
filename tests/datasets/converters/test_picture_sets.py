"""Joining, thinning, dividing and writing, and what is refused."""

import copy
import json
import os

import pytest

from mmdet_lite.datasets.converters import read_annotated
from mmdet_lite.datasets.converters.picture_files import distinct_names, safe_name
from mmdet_lite.datasets.converters.picture_sets import (
    boxes_as_masks,
    divide,
    join_inputs,
    pick_classes,
)
from mmdet_lite.datasets.converters.write_sets import check_out, write_sets


def no_track(items, what):
    return items


def read(*paths, divided=False):
    return join_inputs([read_annotated(path) for path in paths], divided)


def write(sets, out, form="coco", how="copy"):
    return write_sets(sets, out, form, how, {}, no_track)


def names_of(one):
    names = {category["id"]: category["name"] for category in one.content["categories"]}
    return [names[a["category_id"]] for a in one.content["annotations"]]


def small(name, file_name="a.jpg", **more):
    return {
        "images": [{"id": 1, "file_name": file_name, "height": 20, "width": 30}],
        "categories": [{"id": 1, "name": name}],
        "annotations": [
            {
                "id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 8, 6], "area": 48,
                "iscrowd": 0, "segmentation": [], **more,
            }
        ],
    }  # fmt: skip


def test_merged_inputs_join_classes_by_name_and_number_ids_anew(tmp_path, write_set):
    first = write_set(small("cat"), "one")
    second = write_set(small("dog"), "two")
    [out] = write(read(first, second), tmp_path / "out")
    assert names_of(out) == ["cat", "dog"]
    assert [c["id"] for c in out.content["categories"]] == [1, 2]
    assert [i["id"] for i in out.content["images"]] == [1, 2]
    assert [a["image_id"] for a in out.content["annotations"]] == [1, 2]


def test_a_coco_file_is_opened_once_to_be_joined(tmp_path, write_set, monkeypatch):
    file = write_set(small("cat"))
    sets = read_annotated(file, "coco")
    file.unlink()
    assert [len(split) for split in join_inputs([sets], False).splits.values()] == [1]


def test_what_a_coco_file_lacks_is_named_when_it_is_joined(write_set):
    content = small("cat")
    content["images"].append(content["images"][0])
    with pytest.raises(ValueError, match=r"image ids of .*train\.json"):
        read(write_set(content))


def test_pictures_of_the_same_name_stay_two(tmp_path, write_set):
    first = write_set(small("cat"), "one")
    second = write_set(small("cat"), "two")
    (tmp_path / "two" / "train" / "a.jpg").write_bytes(b"another picture")
    write(read(first, second), tmp_path / "out")
    pictures = sorted((tmp_path / "out" / "train").iterdir())
    assert [path.name for path in pictures] == ["a.jpg", "a_2.jpg"]
    assert pictures[1].read_bytes() == b"another picture"
    [again] = read_annotated(tmp_path / "out")
    assert [i["file_name"] for i in again.content["images"]] == ["a.jpg", "a_2.jpg"]


def test_one_picture_in_two_inputs_gets_the_objects_of_both_once(tmp_path, write_set):
    first = write_set(small("cat"))
    other = small("dog")
    other["categories"].append({"id": 2, "name": "cat"})
    other["annotations"].append({**other["annotations"][0], "id": 2, "category_id": 2})
    second = first.with_name("train_dogs.json")
    second.write_text(json.dumps(other))
    [out] = write(read(first, second), tmp_path / "out")
    assert names_of(out) == ["cat", "dog"]
    assert "1 objects are annotated alike in two inputs and counted once" in out.notes


def test_merging_in_place_leaves_pictures_where_they_are(tmp_path, write_set):
    first, second = write_set(small("cat"), "one"), write_set(small("cat"), "two")
    write(read(first, second), tmp_path / "out", how="none")
    [again] = read_annotated(tmp_path / "out")
    names = [image["file_name"] for image in again.content["images"]]
    assert names == ["one/train/a.jpg", "two/train/a.jpg"]
    assert all((again.image_root / name).is_file() for name in names)
    assert not (tmp_path / "out" / "train").exists()


def test_inputs_that_are_divided_differently_need_a_split(tmp_path, write_set):
    first, second = write_set(small("cat"), "one"), write_set(small("cat"), "two", "data")
    with pytest.raises(ValueError, match=r"divided differently.*--split"):
        read(first, second)
    assert read(first, second, divided=True)


def test_picked_classes_have_the_order_given_and_others_are_counted(rich_content, write_set):
    sets = pick_classes(read(write_set(rich_content)), ["traffic light"], keep_empty=False)
    assert list(sets.categories) == ["traffic light"]
    assert [picture.image["file_name"] for picture in sets.splits["train"]] == [
        "a.jpg",
        "sub/b.png",
    ]
    assert sets.notes == (
        "2 objects of other classes are left out",
        "1 pictures without an object of these classes (--keep-empty keeps them) are left out",
    )
    kept = pick_classes(read(write_set(rich_content)), ["never seen"], keep_empty=True)
    assert len(kept.splits["train"]) == 3


def test_a_class_that_is_not_there_is_refused_with_the_nearest(rich_content, write_set):
    with pytest.raises(ValueError, match="no class 'Dog'; did you mean 'dog'"):
        pick_classes(read(write_set(rich_content)), ["Dog"], keep_empty=False)


def test_boxes_become_masks_only_where_there_is_none(rich_content, write_set):
    sets = boxes_as_masks(read(write_set(rich_content)))
    before = {a["id"]: a["segmentation"] for a in rich_content["annotations"]}
    for picture in sets.splits["train"]:
        for obj in picture.objects:
            outline = before[obj["id"]] or [[30.1, 3.2, 40.3, 3.2, 40.3, 6.7, 30.1, 6.7]]
            assert obj["segmentation"] == outline
    assert sets.notes == ("1 objects get their box as mask",)


def test_dividing_says_which_class_is_too_rare(rich_content, write_set):
    sets = divide(read(write_set(rich_content)), {"train": 0.6, "val": 0.4}, 0)
    assert sum(len(pictures) for pictures in sets.splits.values()) == 3
    assert not [note for note in sets.notes if "'never seen'" in note]
    one = divide(
        read(write_set(small("cat"), "x"), write_set(rich_content)), {"a": 0.5, "b": 0.5}, 0
    )
    [note] = [note for note in one.notes if "too few pictures" in note]
    assert "'cat' (not in " in note


def test_many_rare_classes_are_one_note(tmp_path, write_set):
    files = [write_set(small(f"class {number}"), f"set{number}") for number in range(14)]
    sets = divide(read(*files), {"train": 0.7, "val": 0.3}, 0)
    assert {split: len(pictures) for split, pictures in sets.splits.items()} == {
        "train": 10,
        "val": 4,
    }
    [note] = sets.notes
    assert note.startswith("14 classes are in too few pictures for every part: 'class 0' (not in ")
    assert note.endswith(" and 4 more")


def test_pictures_can_be_hard_links(tmp_path, write_set):
    file = write_set(small("cat"))
    write(read(file), tmp_path / "out", "yolo", "link")
    there = tmp_path / "out" / "images" / "train" / "a.jpg"
    assert os.path.samefile(there, tmp_path / "set" / "train" / "a.jpg")


def test_labelme_files_may_refer_to_pictures_in_place(tmp_path, write_set):
    write(read(write_set(small("cat"))), tmp_path / "out", "labelme", "none")
    [one] = read_annotated(tmp_path / "out")
    assert (one.image_root / one.content["images"][0]["file_name"]).is_file()
    assert [path.suffix for path in (tmp_path / "out" / "train").iterdir()] == [".json"]


@pytest.mark.parametrize("form", ["voc", "yolo"])
def test_forms_with_folders_of_their_own_refuse_pictures_in_place(tmp_path, write_set, form):
    with pytest.raises(ValueError, match="--copy-images or --link-images"):
        write(read(write_set(small("cat"))), tmp_path / "out", form, "none")


def test_nothing_is_left_behind_where_a_picture_is_missing(tmp_path, write_set):
    file = write_set(small("cat"))
    sets = read(file)
    (tmp_path / "set" / "train" / "a.jpg").unlink()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match=r"a\.jpg does not exist"):
        write(sets, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_a_picture_inside_a_labelme_file_is_written_out(tmp_path, write_set):
    import base64

    write(read(write_set(small("cat"))), tmp_path / "labelme", "labelme")
    file, picture = tmp_path / "labelme/train/a.json", tmp_path / "labelme/train/a.jpg"
    content = json.loads(file.read_text())
    content["imageData"] = base64.b64encode(picture.read_bytes()).decode()
    file.write_text(json.dumps(content))
    pixels = picture.read_bytes()
    picture.unlink()
    sets = read(tmp_path / "labelme")
    with pytest.raises(ValueError, match="1 pictures are in LabelMe files only"):
        write(sets, tmp_path / "out", "coco", "none")
    write(sets, tmp_path / "out")
    assert (tmp_path / "out" / "train" / "a.jpg").read_bytes() == pixels


def test_only_what_a_conversion_wrote_is_replaced(tmp_path, write_set):
    file = write_set(small("cat"))
    out = tmp_path / "out"
    write(read(file), out)
    (out / "mine.txt").write_text("kept")
    with pytest.raises(FileExistsError, match="--overwrite"):
        check_out(out, [file], overwrite=False)
    check_out(out, [file], overwrite=True)
    write(read(file), out, "yolo")
    names = sorted(path.name for path in out.iterdir())
    assert names == ["conversion.json", "data.yaml", "images", "labels", "mine.txt"]


def test_a_folder_of_others_is_never_overwritten(tmp_path, write_set):
    file = write_set(small("cat"))
    with pytest.raises(FileExistsError, match="was not written by convert-data"):
        check_out(file.parent, [file], overwrite=True)
    with pytest.raises(FileExistsError, match="is a file"):
        check_out(file, [file], overwrite=True)


def test_an_input_inside_of_out_is_not_overwritten(tmp_path, write_set):
    out = tmp_path / "out"
    write(read(write_set(small("cat"))), out)
    with pytest.raises(ValueError, match="lies in OUT"):
        check_out(out, [out / "annotations" / "train.json"], overwrite=True)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"bbox": [1, 2, float("nan"), 3]}, "its box is not finite"),
        ({"bbox": [1, 2, "3", 4]}, r"expected bbox"),
        ({"segmentation": [[1, 2, 3, 4]]}, "a polygon has fewer than 3 points"),
        ({"segmentation": {"size": [5, 5], "counts": [25]}}, r"an RLE of size \[20, 30\], got"),
        ({"segmentation": {"counts": [600]}}, r"or an RLE, got"),
        ({"category_id": 7}, "category_id 7 is not among its categories"),
        ({"image_id": 7}, "image_id 7 is not among its images"),
    ],
)
def test_broken_annotations_are_refused_by_name(write_set, changed, words):
    file = write_set(small("cat", **changed))
    with pytest.raises(ValueError, match=words) as error:
        read(file)
    assert "annotation 1 in " in str(error.value)


def test_voc_pictures_of_different_splits_do_not_collide(tmp_path, write_set):
    write_set(small("cat"), split="train")
    write_set(small("dog"), split="val")
    write(read(tmp_path / "set"), tmp_path / "out", "voc")
    train, val = read_annotated(tmp_path / "out")
    assert names_of(train) == ["cat"]
    assert names_of(val) == ["dog"]
    assert [i["file_name"] for i in val.content["images"]] == ["a_2.jpg"]


def test_names_are_kept_below_their_folder_and_apart():
    assert safe_name("../../etc/a.jpg") == "etc/a.jpg"
    assert distinct_names(["a.jpg", "A.png", "a.jpg"]) == ["a.jpg", "A_png.png", "a_2.jpg"]
    assert distinct_names(["a.jpg", "a.png"], by_stem=False) == ["a.jpg", "a.png"]


def test_the_inputs_are_not_changed(rich_content, write_set):
    inputs = [read_annotated(write_set(rich_content))]
    before = copy.deepcopy(inputs)
    sets = join_inputs(inputs, divided=True)
    divide(boxes_as_masks(pick_classes(sets, ["dog"], True)), {"a": 0.5, "b": 0.5}, 0)
    assert inputs == before
