# SPDX-License-Identifier: Apache-2.0
"""action.yml: it is what GitHub's schema wants, and its steps do what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from github_job import Job, StepFailedError
from shell_session import ACTION, FENCE

ROOT = Path(__file__).parents[1]
PAGES = [*(ROOT / "docs" / "howto").glob("*.md"), *(ROOT / "docs" / "examples").glob("*/README.md")]
JOBS = [
    pytest.param(body, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (language, body) in enumerate(FENCE.findall(page.read_text()))
    if language == "yaml" and ACTION in body
]
PROGRAMS = {"opensc-tool": "opensc", "pcsc_scan": "pcsc-tools"}
# Ours is installed already, apart from anybody's: only the job's own steps are of interest.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name in ("PATH", "HOME", "LANG", "CI") or name.startswith("PIP_")
} | {"LC_ALL": "C.UTF-8"}


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """A runner's directory in which the action has installed vreader from its own directory."""
    directory = tmp_path_factory.mktemp("runner")
    job = Job(directory, ENVIRONMENT)
    try:
        job.play(ROOT, {"run": "vreader --version"})
    except StepFailedError as failure:
        if "pip" in str(failure) and os.environ.get("CI") != "true":
            pytest.skip(f"pip cannot install here: {failure}")
        raise
    return directory


@pytest.fixture
def job(runner, monkeypatch):
    """A new job on that runner; pip has nothing left to do."""
    job = Job(runner, ENVIRONMENT | {"PIP_NO_INDEX": "1"})
    yield job
    job.end()


@pytest.fixture
def installed():
    """Inputs by which pip installs what is there already, which takes no time."""
    return {"vreader": "vreader"}


def test_it_is_installed_apart(job, installed):
    said = job.play(ROOT, {**installed, "run": "command -v vreader python3; vreader --version"})
    program, python, version = said.splitlines()
    assert program.endswith("/temp/vreader/program/vreader")
    assert python == shutil.which("python3", path=ENVIRONMENT["PATH"])
    assert version.startswith("vreader ")


def test_commands_run_with_the_card(job, installed):
    run = "vreader ctl list\nfalse | true\necho not reached"
    with pytest.raises(StepFailedError) as failure:
        job.play(ROOT, {**installed, "card": "piv\nnone\n", "reader": "Door\n\nDesk", "run": run})
    assert re.fullmatch(
        "exit code 1: Door 00 00\tpiv\tinserted\t.*\nDesk 00 00\t.*\n", str(failure.value)
    )


def test_later_steps_see_the_card(job, installed, tmp_path):
    trace = tmp_path / "a trace.txt"
    options = {"card": "piv,seed=01", "options": "--link=t1\n--debug=all", "trace": str(trace)}
    assert "ready: 'Virtual Reader 00 00'" in job.play(ROOT, {**installed, **options})
    assert "< 9000 OK" in job.run("vreader apdu 00A40400:A000000308/00=9000")
    job.run("vreader ctl remove")
    with pytest.raises(StepFailedError):
        job.run("vreader apdu 00A40400:A000000308/00=9000")
    job.run("vreader ctl quit; until ! vreader ctl list 2> /dev/null; do sleep 0.05; done")
    assert "SELECT" in trace.read_text()


@pytest.mark.pcscd
def test_a_real_pcscd(job, installed, need):
    need("pcscd", "pcscd vsmartcard-vpcd")
    inputs = {"stack": "pcscd", "run": "vreader apdu 00A40400:A000000308/00=9000"}
    assert "< 9000 OK" in job.play(ROOT, {**installed, **inputs})


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"stack": "usb"}, "::error::stack is 'usb'"),
        ({"card": "pvi"}, "did you mean piv?"),
        ({"python": "false"}, "::error::vreader needs Python 3.11 or newer"),
        ({"run": "exit 7"}, "exit code 7"),
    ],
)
def test_what_is_wrong_is_told(job, installed, inputs, told):
    with pytest.raises(StepFailedError) as failure:
        job.play(ROOT, {**installed, **inputs})
    assert told in str(failure.value)


@pytest.mark.clients
@pytest.mark.parametrize("body", JOBS)
def test_jobs_that_pages_show(job, installed, need, body):
    for program, package in PROGRAMS.items():
        if program in body:
            need(program, package)
    (described,) = yaml.safe_load(body).values()
    for step in described["steps"]:
        if step.get("uses") == "./third_party/vreader":
            job.play(ROOT, {**step["with"], **installed})
        elif "run" in step and not step["run"].startswith("sudo apt-get"):
            job.run(step["run"])


def test_pages_show_both_ways():
    assert len(JOBS) >= 2
    assert {"run:" in re.sub(r"- run:.*", "", job.values[0]) for job in JOBS} == {True, False}


def test_it_names_no_host():
    for name in ("action.yml", "Containerfile"):
        assert not re.search(r"https?://|\.(io|com|org)\b", (ROOT / name).read_text())


def check(schema: str, *paths: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        schema,
        *map(str, paths),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_schema_of_actions():
    check("vendor.github-actions", ROOT / "action.yml")


def test_schemas_of_what_pages_show(tmp_path):
    """Jobs of GitHub, of GitLab, and services of a compose file."""
    files: dict[str, list[Path]] = {}
    for page in PAGES:
        for language, body in FENCE.findall(page.read_text()):
            described = yaml.safe_load(body) if language == "yaml" else None
            if not isinstance(described, dict):
                continue  # steps alone
            if "steps" in described:
                described = {"job": {"runs-on": "any", **described}}
            schema, whole = "vendor.gitlab-ci", described
            if "services" in described:
                schema = "vendor.compose-spec"
            elif any("runs-on" in job for job in described.values()):
                schema, whole = "vendor.github-workflows", {"on": "push", "jobs": described}
            number = sum(map(len, files.values()))
            path = tmp_path / f"{page.stem}-{number}.yml"
            path.write_text(yaml.safe_dump(whole))
            files.setdefault(schema, []).append(path)
    assert len(files) == 3
    for schema, paths in files.items():
        check(schema, *paths)
