"""What the repository's own files promise: locks, links, commands, one place for each fact."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import consumer
from consumer.errors import ExitCode
from consumer.settings.table import with_table

ROOT = Path(__file__).parents[2]
LOCKS = ("runtime.txt", "dev.txt")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(.*)$", re.MULTILINE)
MODULE_LINES_MAX = 330
FUNCTION_LINES_MAX = 60
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(lock: str) -> set[tuple[str, str]]:
    return {(name, version) for name, version, _ in PIN.findall(text(f"requirements/{lock}"))}


def ours() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def wanted(specification: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", specification)
    assert found
    return re.sub(r"[._]", "-", found[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_has_hashes_and_no_line_names_an_index(lock: str) -> None:
    content = text(f"requirements/{lock}")

    assert len(PIN.findall(content)) > 20
    for entry in re.split(r"\n(?=[a-z])", content.strip()):
        assert "--hash=sha256:" in entry, entry.partition("\n")[0]
    assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links| @ ", content)


@pytest.mark.parametrize(("lock", "group"), [("runtime.txt", None), ("dev.txt", "dev")])
def test_a_lock_holds_all_that_the_project_asks_for(lock: str, group: str | None) -> None:
    project = tomllib.loads(text("pyproject.toml"))
    asked = project["project"]["dependencies"] + (project["dependency-groups"][group] if group else [])

    assert {wanted(one) for one in asked} <= {name for name, _ in pins(lock)}


def test_tests_run_on_the_versions_that_the_product_runs_on() -> None:
    assert pins("runtime.txt") <= pins("dev.txt")


def test_the_settings_table_of_the_readme_is_up_to_date() -> None:
    assert with_table(text("README.md")) == text("README.md")


def test_the_readme_tells_what_each_exit_code_means_and_of_no_other() -> None:
    table = text("README.md").partition("### Exit codes")[2].partition("###")[0]

    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == sorted(ExitCode)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_inside_the_repository_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", text(page))

    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_that_a_page_names_exists(page: str) -> None:
    named = set(re.findall(r"(?:`|^ {4}|\n)make ([a-z][a-z-]*)", text(page)))
    targets = set(re.findall(r"^([a-z][a-z-]*):", text("Makefile"), re.MULTILINE))

    assert named <= targets


def test_make_help_lists_every_target() -> None:
    targets = set(re.findall(r"^\.PHONY: (.*)$", text("Makefile"), re.MULTILINE)[0].split())

    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30).stdout

    assert set(re.findall(r"^make ([a-z-]+)", said, re.MULTILINE)) == targets


def test_a_python_that_is_too_old_is_refused_in_plain_words(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    command = ["make", "-f", str(ROOT / "Makefile"), f"PYTHON={old}", ".venv/python.stamp"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)

    assert done.returncode != 0
    assert "No Python 3.11 to 3.14 found" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_changelog_knows_the_version_of_now() -> None:
    assert f"## {consumer.__version__}" in text("CHANGELOG.md")


def test_the_version_has_one_place() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "consumer", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert said.stdout == f"avviso {consumer.__version__}\n"
    assert "version" in tomllib.loads(text("pyproject.toml"))["project"]["dynamic"]


def test_the_licence_is_the_one_that_the_metadata_name() -> None:
    assert tomllib.loads(text("pyproject.toml"))["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text("LICENSE")
    assert "Version 2.0, January 2004" in text("LICENSE")


def test_scripts_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_modules_and_functions_stay_short_enough_to_be_read() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in ours() if path.suffix == ".py"}

    modules = [str(path.relative_to(ROOT)) for path, source in sources.items() if source.count("\n") > MODULE_LINES_MAX]
    functions = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, source in sources.items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert (modules, functions) == ([], [])
