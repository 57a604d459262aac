"""A row of every format becomes a task that its repository's own tests judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs import Task, TaskError, grade, load_suite
from deepgym_envs.errors import SandboxUnavailable
from deepgym_envs.importers import FORMATS, Rejected, Settings, export_harbor, read_harbor
from deepgym_envs.importers.conversion import to_task
from deepgym_envs.importers.formats import read_record
from deepgym_envs.paths import cache_dir
from deepgym_envs.sandbox import Backend
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task_writer import write_task

from ..tiny import TrustedLocalBackend  # noqa: TID252
from .shop import NEW, OLD, ONE, OTHER, SEVERAL, Shop, make_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return make_shop(tmp_path_factory.mktemp("mirror"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clones go with the test; environments are those that all tests share."""
    environments = cache_dir() / "environments"
    environments.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "environments").symlink_to(environments)
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path / "cache"))


def settings(shop: Shop) -> Settings:
    return Settings(shop.template, images=False)


def made(shop: Shop, row: Mapping[str, Any], wanted: str = "auto") -> Task:
    return to_task(read_record(row, wanted), settings(shop)).task


@pytest.mark.parametrize("name", FORMATS)
def test_a_row_is_told_by_its_fields_and_read_as_what_it_says(shop: Shop, name: str) -> None:
    task = made(shop, shop.rows()[name])
    assert task.manifest.tags == ("swe-gym" if name == "nemo" else name,)
    assert task.digest == made(shop, shop.rows()[name], name).digest
    assert task.base["shop/cart.py"].data == OLD.encode()
    assert task.gold_files() == {"shop/cart.py": NEW.encode()}
    assert task.editable == ("shop/**",)
    assert "forgets prices" in task.manifest.title
    assert len(task.manifest.tests.fail_to_pass) == 1
    assert {node.partition("::")[0] for node in task.expected} <= set(task.hidden)


@pytest.mark.parametrize("name", FORMATS)
def test_an_imported_task_goes_through_its_folder_and_through_harbors(
    shop: Shop, tmp_path: Path, name: str
) -> None:
    task = made(shop, shop.rows()[name])
    write_task(task, tmp_path / "ours")
    [again] = load_suite(tmp_path / "ours")
    assert (again.digest, again.instruction, again.gold) == (task.digest, task.instruction, task.gold)
    back = read_harbor(export_harbor(again, tmp_path / "harbor"))
    assert (back.digest, back.instruction, back.gold) == (task.digest, task.instruction, task.gold)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["swe-bench", "swe-smith", "swe-rebench", "r2e-gym", "scale-swe"])
def test_the_solution_passes_and_the_base_fails(shop: Shop, name: str) -> None:
    row = shop.rows()[name]
    if name == "swe-rebench":
        row = {**row, "install_config": {**row["install_config"], "python": None}}
    judged(made(shop, row), TrustedLocalBackend())


@pytest.mark.bwrap
@pytest.mark.slow
def test_the_solution_passes_and_the_base_fails_in_isolation(shop: Shop) -> None:
    judged(made(shop, shop.swe_bench()), BwrapBackend())


def judged(task: Task, backend: Backend) -> None:
    good = grade(task, task.gold, sandbox=backend)
    assert (good.reward, good.reason) == (1.0, "passed")
    bad = grade(task, WorkspaceState(task.base), sandbox=backend)
    assert bad.reward == 0.0
    assert {node for node, outcome in bad.tests.items() if outcome != "passed"} == set(
        task.manifest.tests.fail_to_pass
    )


def test_tests_that_the_base_holds_are_taken_out_of_it(shop: Shop) -> None:
    task = made(shop, shop.rows()["swe-smith"])
    assert sorted(path for path in task.base if path.startswith("tests/")) == [
        "tests/__init__.py",
        "tests/prices.py",
        "tests/test_other.py",
    ]
    assert task.recipe.test.paths == ("tests",)
    assert task.manifest.tests.pass_to_pass == (ONE, OTHER)
    assert sorted(task.hidden) == [
        "tests/__init__.py",
        "tests/prices.py",
        "tests/test_cart.py",
        "tests/test_other.py",
    ]


def test_a_bug_in_the_tests_themselves_has_no_solution(shop: Shop) -> None:
    row = shop.rows()["swe-smith"]
    row["FAIL_TO_PASS"] = ["shop/cart.py::test_in_source"]
    with pytest.raises(Rejected, match="changes a file of the tests") as caught:
        made(shop, row)
    assert caught.value.code == "no-solution"


def test_what_a_row_hints_at_is_not_told(shop: Shop) -> None:
    for row in shop.rows().values():
        assert "+=" not in made(shop, row).instruction


def test_the_statement_of_pro_has_three_parts(shop: Shop) -> None:
    said = made(shop, shop.rows()["swe-bench-pro"]).instruction
    assert said.index("forgets") < said.index("Count each price") < said.index("No new ones")


def test_pins_are_what_pip_froze_without_the_repository_itself(shop: Shop) -> None:
    row = shop.rows()["swe-rebench"]
    pinned = "pluggy @ file:///croot/pluggy_1733169602837/work"
    row["requirements"] = row["requirements"].replace("pluggy==1.7.0", pinned)
    row["environment"] += "  - pluggy=1.5.0=py311h06a4308_0\n"
    recipe = made(shop, row).recipe
    assert recipe.python == "==3.11"
    assert "pluggy==1.5.0" in recipe.needs.pip
    assert not [pin for pin in recipe.needs.pip if "tornado" in pin]


@pytest.mark.parametrize(
    "line", ["-e git+https://x.org/y.git#egg=y", "y @ https://x.org/y.whl", "y>=1", "./y", "-r other.txt"]
)
def test_what_is_not_pinned_is_a_reason(shop: Shop, line: str) -> None:
    row = shop.rows()["swe-rebench"]
    row["requirements"] += f"\n{line}"
    with pytest.raises(Rejected, match="not pinned") as caught:
        made(shop, row)
    assert caught.value.code == "requirements"


def test_an_image_is_kept_and_no_sandbox_takes_it(shop: Shop, tmp_path: Path) -> None:
    row = shop.swe_bench(image="swebench/sweb.eval.x86_64.tornado:latest")
    task = to_task(read_record(row), replace(settings(shop), images=True)).task
    write_task(task, tmp_path / "ours")
    [again] = load_suite(tmp_path / "ours")
    assert again.recipe.needs.image == row["image"]
    with pytest.raises(SandboxUnavailable, match=r"sweb\.eval\.x86_64\.tornado:latest.*--no-images"):
        grade(again, again.gold, sandbox=TrustedLocalBackend())
    with pytest.raises(TaskError, match="write pins into its recipe"):
        export_harbor(again, tmp_path / "harbor")
    assert task.recipe.environment_digest != made(shop, row).recipe.environment_digest


def test_tests_of_an_open_swe_row_are_those_that_its_patch_adds(shop: Shop) -> None:
    assert made(shop, shop.rows()["open-swe"]).expected == (SEVERAL,)


def test_an_abbreviated_commit_is_completed_by_the_repository(shop: Shop) -> None:
    source = made(shop, shop.rows()["swe-smith"]).recipe.source
    assert source.commit == shop.after  # type: ignore[union-attr]
    row = shop.rows()["swe-smith"]
    row["instance_id"] = row["instance_id"].replace(shop.after[:8], "0" * 8)
    with pytest.raises(Rejected, match="has no single commit 00000000") as caught:
        made(shop, row)
    assert caught.value.code == "repository"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("field", {"instance_id": None}),
    ("id", {"instance_id": "///"}),
    ("repository", {"repo": "../../etc"}),
    ("repository", {"repo": "owner/.."}),
    ("repository", {"base_commit": "main"}),
    ("repository", {"base_commit": "--upload-pack=touch"}),
    ("language", {"language": "Go"}),
    ("language", {"test_patch": "--- a/cart_test.go\n+++ b/cart_test.go\n@@ -1 +1 @@\n-a\n+b\n"}),
    ("framework", {"test_framework": "unittest"}),
    ("patch", {"patch": "nothing of a diff"}),
    ("patch", {"patch": "--- a/../x.py\n+++ b/../x.py\n@@ -1 +1 @@\n-a\n+b\n"}),
    ("patch", {"patch": "--- a/x.py\n+++ b/x.py\n@@ -1,9 +1,9 @@\n-a\n+b\n"}),
    (
        "patch",
        {"patch": "diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc\n"},
    ),
    ("patch", {"patch": "--- a/p/x*.py\n+++ b/p/x*.py\n@@ -1 +1 @@\n-a\n+b\n"}),
    ("too-large", {"patch": "x" * ((4 << 20) + 1)}),
    ("statement", {"problem_statement": " \n"}),
    ("field", {"problem_statement": "\ud800"}),
    ("no-solution", {"patch": ""}),
    ("no-solution", {"patch": "--- a/tests/test_x.py\n+++ b/tests/test_x.py\n@@ -1 +1 @@\n-a\n+b\n"}),
    ("no-tests", {"test_patch": ""}),
    ("no-tests", {"FAIL_TO_PASS": "[]"}),
    ("no-tests", {"test_patch": "--- a/shop/x.py\n+++ b/shop/x.py\n@@ -1 +1 @@\n-a\n+b\n"}),
    ("field", {"FAIL_TO_PASS": "__import__('os').system('touch /tmp/was-executed')"}),
    ("field", {"FAIL_TO_PASS": "[__import__('os')]"}),
    ("field", {"FAIL_TO_PASS": "[" * 100_000}),
    ("field", {"FAIL_TO_PASS": [1, 2]}),
    ("test-id", {"FAIL_TO_PASS": ["Prices are added up"]}),
    ("test-id", {"FAIL_TO_PASS": ["../test_x.py::test"]}),
    ("test-id", {"FAIL_TO_PASS": [OTHER]}),
    ("truncated-id", {"FAIL_TO_PASS": ["tests/test_cart.py::test_one[a"]}),
    ("truncated-id", {"FAIL_TO_PASS": ["tests/test_cart.py::"]}),
]


@pytest.mark.parametrize(("code", "changed"), WRONG, ids=lambda value: str(value)[:60])
def test_a_row_that_cannot_be_a_task_says_why(shop: Shop, code: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        made(shop, shop.swe_bench(**changed), "swe-bench")
    assert caught.value.code == code
    assert not Path("/tmp/was-executed").exists()


def test_a_test_that_should_go_on_passing_is_left_out_and_counted_if_its_id_is_no_good(shop: Shop) -> None:
    kept = ["tests/test_cart.py::test_x[", "Some words", ONE, OTHER]
    converted = to_task(read_record(shop.swe_bench(PASS_TO_PASS=json.dumps(kept))), settings(shop))
    assert converted.task.manifest.tests.pass_to_pass == (ONE, OTHER)
    assert dict(converted.left_out) == {"truncated-id": 1, "test-id": 1}
    assert "tests/test_other.py" in converted.task.hidden


def test_a_file_of_tests_that_is_not_there_is_told_when_it_is_needed(shop: Shop) -> None:
    task = made(shop, shop.swe_bench(PASS_TO_PASS=["tests/test_gone.py::test"]))
    with pytest.raises(TaskError, match=r"the repository has no tests/test_gone\.py"):
        _ = task.base


def test_only_files_directly_in_a_folder_are_editable_where_tests_lie_below_it(shop: Shop) -> None:
    inner = shop.test_patch.replace("tests/test_cart.py", "shop/tests/test_cart.py")
    row = shop.swe_bench(
        test_patch=inner, FAIL_TO_PASS=["shop/tests/test_cart.py::test_several"], PASS_TO_PASS=[]
    )
    assert made(shop, row).editable == ("shop/*",)
    beside = shop.test_patch.replace("tests/test_cart.py", "shop/test_cart.py")
    row = shop.swe_bench(test_patch=beside, FAIL_TO_PASS=["shop/test_cart.py::test_several"], PASS_TO_PASS=[])
    assert made(shop, row).editable == ("shop/cart.py",)


def test_a_row_of_nemo_that_holds_one_of_an_unknown_data_set_is_refused(shop: Shop) -> None:
    metadata = {"dataset_name": "somebody/else", "instance_dict": "{}"}
    with pytest.raises(Rejected, match="dataset_name") as caught:
        made(shop, {"responses_create_params": {"metadata": json.dumps(metadata)}})
    assert caught.value.code == "format"
