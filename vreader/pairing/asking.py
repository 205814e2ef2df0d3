# SPDX-License-Identifier: Apache-2.0
"""One question of a sweep is asked so that whatever becomes of it is no more than its answer.

A card of somebody's own code may hang, or end the process it is in. It is asked by a process of its
own, which serves one question after the other, and is replaced when it has gone.
"""

import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb
from typing import Any, BinaryIO, Final

from vreader.cardspec import CardSpec
from vreader.errors import UsageError, VreaderError
from vreader.pairing.question import Question, answer
from vreader.pairing.result import Pairing

Record = dict[str, Any]

PATIENCE_S: Final = 60
_SECRET_FROM: Final = 4  # letters: what is shorter is no PIN, and in every text
_SERVE: Final = "from vreader.pairing.asking import serve; serve()"


def ask(question: Question, patience_s: int = PATIENCE_S) -> Record:
    """Answer one question; what is wrong with it is its answer, not the end of the others'.

    Args:
        question: what to ask.
        patience_s: how long a card's own code may take, in seconds; 0 is for ever.

    Returns:
        the record (:meth:`vreader.pairing.result.Pairing.record`), without the card's name: the
        plan has another, and what is in a SPEC may be PINs and keys.

    Raises:
        VreaderError: a card's own code needs a process, and there can be no more.
    """
    is_own_code = _spec(question).form == "file"
    return _Apart.of_thread().ask(question, patience_s) if is_own_code else _ask(question)


def _spec(question: Question) -> CardSpec:
    """Return a question's card; what none is makes its own complaint when it is asked."""
    try:
        return CardSpec.parse(question.card)
    except UsageError:
        return CardSpec(question.card, "")


def _ask(question: Question) -> Record:
    try:
        return _record(answer(question))
    except (Exception, SystemExit) as error:
        return _failed(question, _problem(error))


def _failed(question: Question, problem: str) -> Record:
    # What a card's class complains about may be the PIN it was given.
    for key, value in _spec(question).options.items():
        if key != "file" and len(value) >= _SECRET_FROM:
            problem = problem.replace(value, "…")
    return _record(Pairing(question.card, b"", question.os, question.bits, problem=problem))


def _record(found: Pairing) -> Record:
    # As it will be read from a file, so that it makes no difference which way it came.
    record: Record = json.loads(json.dumps({**found.record(), "card": ""}))
    return record


def _problem(error: BaseException) -> str:
    """Say what is wrong with a question; of a bug, of a card's class for example, where it is."""
    if isinstance(error, VreaderError):
        return f"{error} (hint: {error.hint})" if error.hint else str(error)
    place = extract_tb(error.__traceback__)[-1]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"a bug: {text} ({Path(place.filename).name}, line {place.lineno})"


# ---------------------------------------------------------------------- a process of its own


class _Apart:
    """Another process that answers questions, until one of them is its end."""

    _by_thread: Final = threading.local()

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _SERVE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise VreaderError(
                f"cannot start a process for a card's own code: {reason}", hint="use fewer --jobs"
            ) from error
        weakref.finalize(self, _end, self._process)

    @classmethod
    def of_thread(cls) -> "_Apart":
        """Return the one of this thread, which is made on first need."""
        if not hasattr(cls._by_thread, "apart"):
            cls._by_thread.apart = cls()
        own: _Apart = cls._by_thread.apart
        return own

    @classmethod
    def end_of_thread(cls) -> None:
        """End the one of this thread, where there is one."""
        cls._by_thread.__dict__.pop("apart", None)

    def ask(self, question: Question, patience_s: int) -> Record:
        """Answer one question."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with suppress(BrokenPipeError):
                self._process.stdin.write(pickle.dumps((question, patience_s)))
                self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BaseException:
            self.end_of_thread()  # an answer that nobody waits for is not the next one's
            raise
        if line.endswith(b"\n"):
            record: Record = json.loads(line)
            return record
        code = self._process.wait()
        self.end_of_thread()
        if code == -signal.SIGALRM:
            return _failed(question, f"the card's code has not answered within {patience_s} s")
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        return _failed(question, f"the card's code has ended the process it was in: {how}")


end_of_thread = _Apart.end_of_thread


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(OSError), process:
        pass  # closes the pipes, and waits


def serve() -> None:
    """Answer questions from stdin on stdout, as the process of its own that :func:`ask` starts."""
    # What a card prints, or reads, is none of the talk with the parent.
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to deal with
    asked: queue.SimpleQueue[tuple[Question, int]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(questions, asked), daemon=True).start()
    while True:
        question, patience_s = asked.get()
        signal.alarm(patience_s)  # ends the process, wherever it hangs
        try:
            record = _ask(question)
        except BaseException as error:
            record = _failed(question, _problem(error))
        signal.alarm(0)  # to wait for a question is not to hang
        answers.write(json.dumps(record).encode() + b"\n")
        answers.flush()


def _read(questions: BinaryIO, asked: "queue.SimpleQueue[tuple[Question, int]]") -> None:
    """Pass questions on; when the parent has gone, end, whatever a card does at the time."""
    try:
        while True:
            asked.put(pickle.load(questions))  # noqa: S301 - from the parent
    finally:
        os._exit(0)
