import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from mmdet_lite.ops.whole_files import write_atomically, write_json


def test_a_file_is_written_with_its_folder_and_nothing_beside_it(tmp_path):
    write_json(tmp_path / "new" / "a.json", {"a": [1.5]})
    assert json.loads((tmp_path / "new" / "a.json").read_text()) == {"a": [1.5]}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]


def test_writing_that_fails_leaves_the_older_file(tmp_path):
    write_json(tmp_path / "a.json", 1)
    with pytest.raises(TypeError):
        write_atomically(tmp_path / "a.json", lambda file: file.write("text"))
    assert (tmp_path / "a.json").read_text() == "1"
    assert len(list(tmp_path.iterdir())) == 1


def test_two_that_write_one_file_do_not_meet(tmp_path):
    contents = [[number] * 20_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_json(tmp_path / "a.json", content), contents))
    assert json.loads((tmp_path / "a.json").read_text()) in contents
