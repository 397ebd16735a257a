import subprocess
import sys

from mmdet_lite import __version__
from mmdet_lite.cli import __main__ as console


def test_unknown_command_is_answered_with_the_nearest(capsys):
    assert console.main(["trian"]) == 2
    err = capsys.readouterr().err
    assert "unknown command 'trian', did you mean 'train'?" in err and "contact-sheet" in err


def test_without_a_command_the_list_is_shown(capsys):
    assert console.main([]) == 2 and console.main(["--help"]) == 0
    assert "plot-log" in capsys.readouterr().out


def test_version_imports_nothing_slow():
    code = (
        "import sys\nfrom mmdet_lite.cli.__main__ import main\n"
        "assert main(['--version']) == 0\n"
        "assert not {'torch', 'mmengine', 'numpy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"mmdet-lite {__version__}\n"
