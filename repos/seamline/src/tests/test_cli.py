import pytest

from seamline.cli import main

PATCH = "--- old\n+++ new\n@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"


def test_diff(run, files):
    files(old="a\nb\nc\n", new="a\nx\nc\n")
    assert run("diff", "old", "new") == (1, PATCH, "")
    assert run("diff", "old", "old") == (0, "", "")
    assert run("diff", "-q", "old", "new") == (1, "Files old and new differ\n", "")


def test_diff_options(run, files):
    files(old="a\nb\nc\n", new="A\nx\nc\n")
    assert run("diff", "-i", "-U0", "--label", "here", "old", "new") == (
        1, "--- here\n+++ new\n@@ -2 +2 @@\n-b\n+x\n", ""
    )


def test_ignore(run, files):
    files(old="a b\r\n", new="A  b\n")
    assert run("diff", "-i", "-b", "old", "new")[0] == 1
    assert run("diff", "-i", "-b", "--ignore", "eol", "old", "new")[0] == 0
    assert run("diff", "-w", "--ignore", "eol", "--ignore", "case", "old", "new")[0] == 0
    assert run("diff", "--ignore", "tabs", "old", "new") == (
        2, "", "seamline: unknown rule 'tabs' (known: case, eol, space, space-change)\n"
    )


def test_standard_input(run, files):
    files(new="a\nx\nc\n")
    assert run("diff", "--label", "old", "-", "new", stdin="a\nb\nc\n") == (1, PATCH, "")


def test_patch(run, files, tmp_path):
    files(file=b"a\r\nb\r\nc\r\n", patch=PATCH)
    assert run("patch", "file", "patch") == (0, "", "")
    assert (tmp_path / "file").read_bytes() == b"a\r\nx\r\nc\r\n"
    assert run("patch", "file", "patch") == (0, "", "Hunk #1 is there already at line 1\n")
    assert run("patch", "-R", "-o", "back", "file", "-", stdin=PATCH) == (0, "", "")
    assert (tmp_path / "back").read_bytes() == b"a\r\nb\r\nc\r\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "file", "patch"]


def test_patch_there_and_back_without_context(run, files, tmp_path):
    files(old="a\nb\nc\nd\ne\n", new="a\nc\nd\nx\ne\n")
    change = run("diff", "-U0", "old", "new")[1]
    assert run("patch", "old", "-", "-o", "-", stdin=change) == (0, "a\nc\nd\nx\ne\n", "")
    assert run("patch", "-R", "new", "-", "-o", "-", stdin=change) == (0, "a\nb\nc\nd\ne\n", "")


def test_patch_reports(run, files):
    files(file="n\nn\na\nb\nc\nq\n", patch=PATCH)
    assert run("patch", "file", "patch", "-o", "-") == (
        0, "n\nn\na\nx\nc\nq\n", "Hunk #1 applied at line 3 (offset +2)\n"
    )
    assert run("patch", "--dry-run", "file", "patch") == (0, "", "Hunk #1 applied at line 3 (offset +2)\n")


def test_rejects(run, files, tmp_path):
    files(file="n\nn\nn\n", patch=PATCH)
    assert run("patch", "file", "patch") == (1, "", "Hunk #1 rejected\n")
    assert (tmp_path / "file.rej").read_text() == PATCH
    assert run("patch", "file", "patch", "-o", "-")[:2] == (1, "n\nn\nn\n")


def test_all_files_are_written_or_none(run, files, tmp_path):
    files(file="n\nn\nn\n", patch=PATCH)
    for options in (["-o", "out", "--reject", "gone/rejects"], ["-o", "gone/out", "--reject", "rejects"]):
        assert run("patch", "file", "patch", *options)[:2] == (2, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "patch"]


def test_patch_for_several_files(run, files):
    files(file="a\nb\nc\n", patch=PATCH + PATCH.replace("new", "other"))
    assert run("patch", "file", "patch", "-o", "-") == (
        2, "", "seamline: choose one file of the patch with --only (there are: new, other)\n"
    )
    assert run("patch", "file", "patch", "-o", "-", "--only", "other") == (0, "a\nx\nc\n", "")


def test_merge(run, files, tmp_path):
    files(base="a\nb\nc\n", ours="a\nx\nc\n", theirs="a\ny\nc\n", other="a\nb\nz\n")
    conflict = "a\n<<<<<<< ours\nx\n=======\ny\n>>>>>>> theirs\nc\n"
    assert run("merge", "base", "ours", "theirs") == (1, conflict, "")
    assert run("merge", "base", "base", "other", "-o", "out") == (0, "", "")
    assert (tmp_path / "out").read_text() == "a\nb\nz\n"
    assert run("merge", "base", "ours", "theirs", "--favor", "both") == (0, "a\nx\ny\nc\n", "")
    assert run("merge", "base", "ours", "theirs", "--style", "diff3", "--marker-size", "2", "--label", "B") == (
        1, "a\n<< ours\nx\n|| B\nb\n==\ny\n>> theirs\nc\n", ""
    )


def test_resolve(run, files, tmp_path):
    files(base="a\nb\nc\n", ours="a\nx\nc\n", theirs="a\ny\nc\n")
    run("merge", "base", "ours", "theirs", "-o", "merged", "--style", "diff3")
    assert run("resolve", "merged", "--take", "base", "-o", "-") == (0, "a\nb\nc\n", "")
    assert run("resolve", "merged", "--take", "theirs") == (0, "", "")
    assert (tmp_path / "merged").read_text() == "a\ny\nc\n"


def test_stat(run, files):
    files(patch=PATCH)
    assert run("stat", "patch") == (0, " new | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n", "")


def test_encodings(run, files, tmp_path):
    files(old="é\nb\n".encode("latin-1"), new="é\nc\n".encode("latin-1"))
    assert run("diff", "--encoding", "latin-1", "old", "new")[1].endswith(" é\n-b\n+c\n")
    assert run("diff", "old", "new") == (2, "", "seamline: old: not utf-8 at byte 0\n")


@pytest.mark.parametrize("argv, message", [
    (["diff", "old"], "the following arguments are required: new (see seamline diff --help)"),
    (["diff", "old", "gone"], "gone: No such file or directory"),
    (["diff", "old", "."], ".: Is a directory"),
    (["diff", "-", "-"], "standard input can be read only once"),
    (["diff", "-U", "-1", "old", "old"], "context must not be negative: -1"),
    (["diff", "--encoding", "utf-9", "old", "old"], "unknown encoding 'utf-9'"),
    (["diff", "--label=a", "--label=b", "--label=c", "old", "old"], "too many labels: there are 2 files"),
    (["patch", "old", "old"], "choose one file of the patch with --only (there are: none)"),
    (["merge", "old", "old", "old", "-o", "gone/out"], "gone/out: No such file or directory"),
    (["merge", "old", "old", "old", "-o", "."], ".: Is a directory"),
    (["merge", "old", "old", "old", "--marker-size", "0"], "marker size must be at least 1: 0"),
    (["stat", "old", "--width", "1"], "width must be at least 2: 1"),
])
def test_trouble(run, files, tmp_path, argv, message):
    files(old="a\n")
    assert run(*argv) == (2, "", f"seamline: {message}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"]


def test_help(run):
    status, output, errors = run("--help")
    assert (status, errors) == (0, "")
    assert "resolve" in output


def test_bugs_come_out(files, tmp_path, monkeypatch):
    files(old="a\n")
    monkeypatch.setattr("seamline.unified.diff", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["diff", str(tmp_path / "old"), str(tmp_path / "old")])
