"""Reading JSON text."""

import gc
import json
import math

import pytest

from mmdet_lite.ops.json_text import parse_json, without_collecting


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_any_encoding_of_json_is_read(encoding):
    content = {"name": "Ünï 名", "numbers": [1, 2.5, None, True]}
    raw = json.dumps(content, ensure_ascii=False).encode(encoding)
    assert parse_json(raw, "a.json") == content


def test_tokens_that_only_python_writes_are_read():
    numbers = parse_json(b"[NaN, Infinity, -Infinity, 1e999]", "a.json")
    assert math.isnan(numbers[0]) and numbers[1:] == [math.inf, -math.inf, math.inf]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b'{"a": [1, 2', "Expecting"),
        (b'{"a": 1,}', "line 1 column"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a": "\xff"}', "utf-8"),
    ],
)
def test_what_is_no_json_names_the_file_and_the_place(raw, message):
    with pytest.raises(
        ValueError, match=rf"(?s)'some.json' is not valid json: .*{message}"
    ) as error:
        parse_json(raw, "some.json")
    assert type(error.value) is ValueError


def test_keep_gets_every_object_and_decides_what_stays():
    raw = b'{"rows": [{"n": 1, "much": [1, 2, 3]}, {"n": 2, "much": [4]}], "other": {"n": 3}}'
    seen = []

    def keep(each):
        seen.append(each.pop("n", None))
        return {"few": len(each["much"])} if "much" in each else each

    assert parse_json(raw, "a.json", keep) == {"rows": [{"few": 3}, {"few": 1}], "other": {}}
    assert seen == [1, 2, 3, None]


def test_the_collector_rests_only_while_it_is_told_to():
    assert gc.isenabled()
    with without_collecting():
        assert not gc.isenabled()
        with without_collecting():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ValueError, match="not valid"):
        parse_json(b"[1", "a.json")
    assert gc.isenabled()
