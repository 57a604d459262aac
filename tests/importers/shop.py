"""A small repository with a history, and the rows in which data sets would tell of its one mended fault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from git import Actor, Repo

from deepgym_envs.recipe import PYTEST_PINS

OLD = "def total(prices):\n    result = 0\n    for price in prices:\n        result = price\n    return result\n"
NEW = OLD.replace("result = price", "result += price")
OLD_TESTS = """\
from shop.cart import total
from tests.prices import ONE


def test_one():
    assert total(ONE) == 17
"""
NEW_TESTS = OLD_TESTS + "\n\ndef test_several():\n    assert total([17, 4]) == 21\n"
FILES = {
    "shop/__init__.py": "",
    "shop/cart.py": OLD,
    "tests/__init__.py": "",
    "tests/prices.py": "ONE = [17]\n",
    "tests/test_cart.py": OLD_TESTS,
    "tests/test_other.py": "def test_nothing():\n    assert True\n",
}
SOLVED = {**FILES, "shop/cart.py": NEW, "tests/test_cart.py": NEW_TESTS}
ONE, SEVERAL, OTHER = (
    "tests/test_cart.py::test_one",
    "tests/test_cart.py::test_several",
    "tests/test_other.py::test_nothing",
)


@dataclass(frozen=True)
class Shop:
    """Where the repositories lie, the commits before and after, and the two halves of what lies between."""

    template: str
    before: str
    after: str
    patch: str
    test_patch: str

    def swe_bench(self, **changed: Any) -> dict[str, Any]:
        return {
            "instance_id": "tornadoweb__tornado-7",
            "repo": "tornadoweb/tornado",
            "base_commit": self.before,
            "patch": self.patch,
            "test_patch": self.test_patch,
            "problem_statement": "# A total forgets prices\n\nOf several prices only the last one counts.",
            "hints_text": self.patch,
            "created_at": "2024-01-01T00:00:00Z",
            "version": "1.0",
            "FAIL_TO_PASS": json.dumps([SEVERAL]),
            "PASS_TO_PASS": json.dumps([ONE]),
            "environment_setup_commit": self.before,
            **changed,
        }

    def rows(self) -> Mapping[str, dict[str, Any]]:
        """One row of each format."""
        bench = self.swe_bench()
        gym = {key: value for key, value in bench.items() if key != "environment_setup_commit"}
        gym |= {"FAIL_TO_PASS": [SEVERAL], "PASS_TO_PASS": [ONE]}
        parts = {"repo": "tornadoweb/tornado", "problem_statement": bench["problem_statement"]}
        return {
            "swe-bench": bench,
            "swe-gym": gym,
            "swe-bench-live": {**gym, "test_cmds": ["pytest -rA"], "log_parser": "pytest", "difficulty": {"files": 1}},
            "swe-bench-pro": {
                **gym, "fail_to_pass": f"['{SEVERAL}']", "pass_to_pass": f"['{ONE}']", "FAIL_TO_PASS": None,
                "PASS_TO_PASS": None, "repo_language": "Python", "requirements": "- Count each price.",
                "interface": "No new ones.", "selected_test_files_to_run": "['tests/test_cart.py']",
                "dockerhub_tag": "tornadoweb.tornado-7", "before_repo_set_cmd": "touch /tmp/was-executed",
            },
            "swe-rebench": {
                **gym, "install_config": {"python": "3.11", "install": "pip install -e .", "log_parser": "parse_log_pytest",
                                          "test_cmd": "pytest"},
                "requirements": "\n".join([*PYTEST_PINS, "-e git+https://example.org/tornado.git@0#egg=tornado"]),
                "environment": "name: tornado\ndependencies:\n  - python=3.11.7=h955ad1f_0\n", "license_name": "MIT",
                "docker_image": "swerebench/sweb.eval.x86_64.tornadoweb_1776_tornado-7", "FAIL_TO_FAIL": [],
            },
            "swe-rebench-v2": {
                **gym, "install_config": {"base_image_name": "python", "log_parser": "parse_log_pytest"},
                "pr_description": "What was done.", "interface": "", "language": "python", "license": "Apache-2.0",
                "image_name": "docker.io/swerebenchv2/tornadoweb-tornado:7-0123456",
            },
            "swe-smith": {
                **parts, "instance_id": f"tornadoweb__tornado.{self.after[:8]}.func_pm_op__abc",
                "patch": self.patch_back, "FAIL_TO_PASS": [SEVERAL], "PASS_TO_PASS": [ONE, OTHER],
                "image_name": "swebench/swesmith.x86_64.tornadoweb_1776_tornado.01234567",
            },
            "r2e-gym": self.r2e_gym(),
            "multi-swe": {
                "org": "tornadoweb", "repo": "tornado", "number": 7, "state": "closed", "title": "Add prices up",
                "body": "Adds with +=.", "base": {"label": "x:main", "ref": "main", "sha": self.before},
                "resolved_issues": [{"number": 6, "title": "A total forgets prices", "body": "Only the last counts."}],
                "fix_patch": self.patch, "test_patch": self.test_patch, "lang": "python",
                "f2p_tests": {}, "n2p_tests": {SEVERAL: {"run": "NONE", "test": "FAIL", "fix": "PASS"}},
                "s2p_tests": {}, "p2p_tests": {"name": [ONE], "run": ["PASS"], "test": ["PASS"], "fix": ["PASS"]},
            },
            "nemo": {
                "responses_create_params": {
                    "input": [],
                    "metadata": {"instance_id": "x", "dataset_name": "SWE-Gym/SWE-Gym", "split": "train",
                                 "golden_patch": self.patch, "instance_dict": json.dumps(gym)},
                },
                "agent_ref": {"name": "swe_agents"},
            },
            "swe-flow": {
                **parts, "instance_id": "tornadoweb__--__tornado-dev-3", "base_commit": self.with_tests,
                "reference_commit": self.after, "patch": self.patch, "fail_to_pass": [SEVERAL], "pass_to_pass": [ONE],
            },
            "open-swe": {
                **parts, "instance_id": "tornadoweb__tornado-8", "base_commit": self.before, "end_commit": self.after,
                "patch": self.patch, "test_patch": self.test_patch, "language": "Python",
                "Dockerfile": "FROM scratch", "eval_script": "touch /tmp/was-executed; echo OPENSWE_EXIT_CODE=0",
            },
            "scale-swe": {
                **parts, "instance_id": "tornadoweb_tornado_pr7", "user": "tornadoweb", "repo": "tornado",
                "language": "python", "workdir": "/workspace", "patch": self.patch, "pr_commit": self.after,
                "parent_commit": self.before, "f2p_patch": "",
                "f2p_script": "from shop.cart import total\n\n\ndef test_both():\n    assert total([1, 2]) == 3\n",
                "FAIL_TO_PASS": ["test_fail_to_pass.py::test_both"], "PASS_TO_PASS": [ONE], "pre_commands": "exit 1",
            },
        }  # fmt: skip

    @property
    def patch_back(self) -> str:
        """What brings the fault back."""
        return self.patch.replace("-        result = price\n+        result += price", "-        result += price\n+        result = price")  # fmt: skip

    @property
    def with_tests(self) -> str:
        """A commit that has the tests of the mended fault, and the fault."""
        with Repo(self.template.replace("{repo}", "tornadoweb/tornado")) as repo:
            return str(repo.commit("tests-only").hexsha)

    def r2e_gym(self) -> dict[str, Any]:
        def file(path: str, old: str, new: str) -> dict[str, Any]:
            return {
                "header": {"file": {"path": path}, "misc_line": None}, "is_binary_file": False,
                "minus_file": {"path": f"a/{path}"}, "plus_file": {"path": f"b/{path}"},
                "old_file_content": old, "new_file_content": new, "hunks": [],
            }  # fmt: skip

        head = "some output\n==== \x1b[36mshort test summary info\x1b[0m ====\n"
        passed = "\x1b[32mPASSED\x1b[0m r2e_tests/test_1.py::\x1b[1mtest_one\x1b[0m\n"
        return {
            "repo_name": "tornado",
            "docker_image": f"namanjain12/tornado_final:{self.after}",
            "commit_hash": self.after,
            "problem_statement": "[ISSUE]\n**A total forgets prices**\n\nOnly the last one counts.\n[/ISSUE]",
            "parsed_commit_content": json.dumps(
                {
                    "file_diffs": [
                        file("shop/cart.py", OLD, NEW),
                        file("tests/test_cart.py", OLD_TESTS, NEW_TESTS),
                    ],
                    "old_commit_hash": f"{self.after}^",
                    "new_commit_hash": self.after,
                }
            ),
            "execution_result_content": json.dumps(
                {
                    "test_file_codes": [NEW_TESTS],
                    "test_file_names": ["test_1.py"],
                    "old_commit_res_stdout": f"{head}{passed}FAILED r2e_tests/test_1.py::test_several - assert 4 == 21\n",
                    "new_commit_res_stdout": f"{head}{passed}PASSED r2e_tests/test_1.py::test_several\n",
                }
            ),
            "expected_output_json": json.dumps(
                {"test_one": "PASSED", "test_several": "PASSED", "Gone.test": "FAILED"}
            ),
        }


def make_shop(folder: Path) -> Shop:
    """Make the repository below ``folder``."""
    place = folder / "tornadoweb" / "tornado"
    place.mkdir(parents=True)
    with Repo.init(place, initial_branch="main", allow_unsafe_options=True) as repo:
        before = _commit(repo, FILES)
        after = _commit(repo, SOLVED)
        repo.create_head("tests-only", before).checkout()
        _commit(repo, {**SOLVED, "shop/cart.py": OLD})
        repo.heads["main"].checkout()
        patch, tests = (str(repo.git.diff(before, after, "--", path)) + "\n" for path in ("shop", "tests"))
    return Shop(f"{folder}/{{repo}}", before, after, patch, tests)


def _commit(repo: Repo, files: Mapping[str, str]) -> str:
    for path, text in files.items():
        place = Path(repo.working_dir, path)
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    repo.index.add(list(files))
    return str(repo.index.commit("x", author=Actor("A", "a@b"), committer=Actor("A", "a@b")).hexsha)
