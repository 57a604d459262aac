import io

import pytest

from seamline.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the program in a fresh folder; returns its status, output and error output."""
    monkeypatch.chdir(tmp_path)

    def run_program(*argv, stdin=""):
        stdout, stderr = io.StringIO(), io.StringIO()
        status = main(argv, stdin=io.StringIO(stdin), stdout=stdout, stderr=stderr)
        return status, stdout.getvalue(), stderr.getvalue()

    return run_program


@pytest.fixture
def files(tmp_path):
    """Write files, given as names and texts, into the folder of the run."""
    def write(**texts):
        for name, text in texts.items():
            (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return write
