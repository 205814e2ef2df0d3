# SPDX-License-Identifier: Apache-2.0
"""A plan's questions are asked, on all processors or machines, and what is answered is kept.

Answers are appended to a file of JSON lines as they come, in the plan's order. A sweep that was
killed goes on where that file ends. What a line answers is told by a digest of the question and of
the contents of all files it names: an answer is taken over as long as nothing it rests on changed.
"""

import hashlib
import json
import os
import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from vreader import __version__
from vreader.cardspec import CardSpec
from vreader.errors import UsageError, VreaderError, near
from vreader.pairing.asking import Record, ask, end_of_thread
from vreader.pairing.lab import lab
from vreader.pairing.plan import Cell, Plan
from vreader.pairing.question import Question
from vreader.pairing.result import ERROR, Pairing
from vreader.pairing.resultfile import ResultFile, Shared

BACKENDS: Final = ("loky", "threading", "dask", "ray")
CLUSTERS: Final = ("dask", "ray")
CHUNK: Final = 16  # cells: a fifth of a second's work, a hundred times what sending them costs
PORTION: Final = 64  # chunks
IDLE_S: Final = 20  # how long a process waits for more to do
WORTH_PROCESSES: Final = 64  # cells: fewer are done before other processes have started

Progress = Callable[[int, int], object]


class Answered(NamedTuple):
    """A cell and its answer.

    Attributes:
        cell: of the plan.
        record: :meth:`vreader.pairing.result.Pairing.record`, with the plan's name of the card.
    """

    cell: Cell
    record: Record


def sweep(
    plan: Plan,
    path: str | None = None,
    *,
    jobs: int | None = None,
    backend: str | None = None,
    progress: Progress = lambda _done, _total: None,
) -> list[Answered]:
    """Ask whatever of a plan is not answered yet; return all answers, in the plan's order.

    Args:
        plan: what to ask.
        path: file that keeps the answers; made where it is not there. None keeps none.
        jobs: processes; 1 is this one alone, 0 as many as pay. None is as the plan says.
        backend: joblib's: ``loky``, ``threading``, ``dask`` or ``ray``; the last two with the
            address of a cluster, as in ``dask=tcp://10.0.0.1:8786``. None is as the plan says.
        progress: told from time to time how many of how many cells are answered.

    Raises:
        UsageError: no such back end, its package is missing, or the file is none of a sweep.
        VreaderError: the file cannot be read or written, another sweep is writing it, or the
            back end fails. What was answered till then is in the file.
    """
    name, _, address = (plan.backend if backend is None else backend).partition("=")
    if name and name not in BACKENDS:
        raise UsageError(
            f"there is no back end {name!r}",
            hint=near(name, BACKENDS) or "one of " + ", ".join(BACKENDS),
        )
    contents = cache(_contents)
    keys = [digest(cell.question, contents) for cell in plan.cells]
    with ExitStack() as stack:
        kept = None if path is None else stack.enter_context(ResultFile(path))
        known = {} if kept is None else kept.known
        shared = Shared() if kept is None else kept.shared
        if kept is not None:
            keys = [kept.key(each) for each in keys]
        # Cells may ask the same: one card under two names. What had no answer is asked again.
        todo = {
            key: cell.question
            for key, cell in zip(keys, plan.cells, strict=True)
            if key not in known or not _is_answer(known[key])
        }
        missing = list(todo)
        done, total = len(keys) - len(missing), len(keys)
        progress(done, total)
        jobs = plan.jobs if jobs is None else jobs
        if not jobs and name not in CLUSTERS:  # which know best how many they are
            pays = name or len(missing) >= WORTH_PROCESSES
            jobs = len(os.sched_getaffinity(0)) if pays else 1
        questions = list(todo.values())
        if name or jobs > 1:
            asking = _ask_others(questions, plan.patience_s, jobs, name or "loky", address)
        else:
            asking = _ask_here(questions, plan.patience_s)
        stack.callback(asking.close)
        for records in asking:
            lines = list(zip(missing, map(shared, records), strict=False))
            del missing[: len(lines)]
            known.update(lines)
            if kept is not None:
                kept.append(lines)
            done += len(lines)
            progress(done, total)
    return [
        Answered(cell, {**known[key], "card": cell.card})
        for cell, key in zip(plan.cells, keys, strict=True)
    ]


_SHAPE: Final = Pairing("", b"", "", 0).record()


def _is_answer(record: Record) -> bool:
    """Whether a record says what became of the card, and has the parts that it has today."""
    return (
        record["outcome"] != ERROR
        and record.keys() == _SHAPE.keys()
        and all(
            isinstance(record[key], type(value))
            for key, value in _SHAPE.items()
            if value is not None
        )
    )


# ---------------------------------------------------------------------- asking


def _ask_here(
    questions: Sequence[Question], patience_s: int
) -> Generator[list[Record], None, None]:
    """Yield the answer to one question after the other."""
    try:
        for question in questions:
            yield [ask(question, patience_s)]
    finally:
        end_of_thread()


def _ask_others(
    questions: Sequence[Question], patience_s: int, jobs: int, backend: str, address: str
) -> Generator[list[Record], None, None]:
    """Yield the answers to all questions, in their order and some at a time."""
    joblib = lab("joblib")
    size = max(1, min(CHUNK, len(questions) // (4 * (jobs or 1))))
    chunks = [questions[n : n + size] for n in range(0, len(questions), size)]
    if not chunks:
        return
    try:
        settings = _connect(backend, address)
        # Processes outlive a parent that is killed: these ask nothing more, and leave soon.
        parent = os.getpid() if backend == "loky" else 0
        more = {"idle_worker_timeout": IDLE_S} if backend == "loky" else {}
        # Ray's back end gives no answer before it has all: it is asked portion by portion.
        portion, return_as = (PORTION, "list") if backend == "ray" else (len(chunks), "generator")
        with joblib.parallel_config(backend, n_jobs=jobs or -1, **settings):
            parallel = joblib.Parallel(return_as=return_as, batch_size=1, **more)
            for start in range(0, len(chunks), portion):
                asked = chunks[start : start + portion]
                yield from parallel(
                    joblib.delayed(_ask_all)(chunk, patience_s, parent) for chunk in asked
                )
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        hint = "with --output what was answered is kept: the same command goes on from there"
        if backend == "dask" and not address:
            hint = "name its scheduler: --backend dask=tcp://HOST:8786"
        raise VreaderError(f"back end {backend} has failed: {reason}", hint=hint) from error


def _connect(backend: str, address: str) -> dict[str, str]:
    """Make a cluster known to joblib; return what it wants to be told of it."""
    if backend == "ray":
        lab("ray").init(address=address or None, ignore_reinit_error=True)
        lab("ray.util.joblib").register_ray()
        return {}
    if backend == "dask":
        lab("dask.distributed")
    return {"scheduler_host": address} if address else {}


def _ask_all(questions: Sequence[Question], patience_s: int, parent: int) -> list[Record]:
    """Answer some questions, unless the process ``parent``, where it is one, has gone."""
    if parent and parent != os.getpid():
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to deal with
    records = []
    for question in questions:
        if parent and parent not in (os.getppid(), os.getpid()):
            os._exit(1)
        records.append(ask(question, patience_s))
    return records


# ---------------------------------------------------------------------- what a question rests on

Contents = Callable[[str], list[tuple[str, str]]]


def digest(question: Question, contents: Contents) -> str:
    """Return what tells a question from others: its words, and the files behind its paths.

    Paths themselves do not count: the same files in another place make the same question.

    Args:
        question: with absolute paths.
        contents: returns names and digests of the files at a path.
    """
    spec = CardSpec.parse(question.card)
    head, *options = question.card.split(",")
    card: list[object] = [spec.form, head, *options]
    if spec.form in ("toml", "file"):
        card[1] = [spec.profile, contents(spec.name)]
    elif "file" in spec.options:
        card = [part for part in card if part != f"file={spec.options['file']}"]
        card.append(contents(spec.options["file"]))
    told = [__version__, card, question.os, question.bits, question.policy.record()]
    for paths in (question.store, question.installed, question.updates, question.registry):
        named = [path.partition(",") for path in paths]
        told.append([(contents(path), more) for path, _, more in named])
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def _contents(path: str) -> list[tuple[str, str]]:
    """Return names and digests of a file, or of all files below a folder; none of what is not."""
    place = Path(path)
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    try:
        return [
            (str(file.relative_to(place.parent)), hashlib.sha256(file.read_bytes()).hexdigest())
            for file in files
            if file.is_file()
        ]
    except OSError as error:
        raise UsageError(
            f"cannot read {error.filename}: {error.strerror}",
            hint="a plan's files are read before anything is asked",
        ) from None
