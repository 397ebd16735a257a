"""Files broken in every way: what the check says of them is what the data set does."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from test_annotation_fuzz import BREAKS, CLASSES, JUNK, QUICK, broken, content, folder, places

from mmdet_lite.datasets import CocoDataset
from mmdet_lite.datasets.check import KINDS, check_sets, read_all_facts, read_sets

assert folder  # the fixture
REFUSALS = (ValueError, TypeError, OSError)


def says_and_does(folder, changed, classes, with_mask):
    """What the check says of a file, and the errors of the data set when built and when loaded.

    Returns:
        Findings by what training does, 'refuses' and so on, and two errors or None.
    """
    (folder / "check.json").write_text(json.dumps(changed))
    steps = [{"type": "LoadImageFromFile"}, {"type": "LoadAnnotations", "with_mask": with_mask}]
    cfg = {
        "data_root": str(folder),
        "ann_file": "check.json",
        "data_prefix": {"img": "images/"},
        "metainfo": {} if classes is None else {"classes": classes},
        "pipeline": steps,
        "test_mode": True,
        "serialize_data": False,  # which collects garbage
    }
    (data,) = read_sets({"train": {"type": "CocoDataset", **cfg}})
    facts = read_all_facts([path for files in data.image_files for path in files], {})
    said = {}
    for finding in check_sets("s", [data], facts).findings:
        said.setdefault(KINDS[finding.code].training.split()[0], []).append(finding)
    try:
        dataset = CocoDataset(**cfg)
    except REFUSALS as error:
        return said, error, None
    try:
        for n in range(len(dataset)):
            dataset[n]
    except REFUSALS as error:
        return said, None, error
    return said, None, None


def check_agrees(folder, changed, classes, with_mask):
    said, refusal, stop = says_and_does(folder, changed, classes, with_mask)
    if refusal is not None:
        assert "refuses" in said, f"refused, but the check says {said}: {refusal}"
        assert all(finding.severity == "error" for finding in said["refuses"])
    if stop is not None:
        assert {"refuses", "stops"} & said.keys(), f"stopped, but the check says {said}: {stop}"


@QUICK
@given(breaks=BREAKS, classes=CLASSES)
def test_what_the_data_set_refuses_is_an_error_of_the_check(folder, breaks, classes):
    check_agrees(folder, broken(content(), breaks), classes, with_mask=True)


@QUICK
@given(breaks=BREAKS)
def test_what_is_refused_without_masks_is_an_error_too(folder, breaks):
    check_agrees(folder, broken(content(), breaks), None, with_mask=False)


@pytest.mark.slow
def test_every_place_with_every_junk_is_judged_alike(folder):
    for number in range(len(places(content()))):
        for choice in range(len(JUNK)):
            check_agrees(folder, broken(content(), [(number, "junk", choice)]), None, True)
        for kind in ("remove", "text", "negate", "grow", "wrap", "unwrap", "reverse"):
            check_agrees(folder, broken(content(), [(number, kind, 0)]), None, True)
