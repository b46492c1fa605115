"""Real engines, workers and trainings, only small: what becomes of a job while processes come and
go.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import psutil
import pytest
from distributed.core import Status

from core import engine, runs
from core.engine import connection, process
from core.engine.board import Board, key
from core.errors import AtelierError, EngineUnavailable, RunNotFound
from core.settings import ROOT
from core.specs.spec import TrainSpec
from tests.fixtures import until

SHORT = TrainSpec(
    name="short", data="offline-sample", filters=(4,), dense_units=(), batch=256, epochs=2
)
SMOOTH = TrainSpec(
    name="smooth", data="offline-sample", filters=(), dense_units=(6,), activation="tanh"
)
LONG = SHORT.replace(name="long", batch=32, epochs=500)


def state(job: engine.Job | None) -> str:
    return job.state if job else "absent"


def epochs(run_id: str) -> int:
    return len(runs.history(run_id))


def finished(here: engine.Engine, run_id: str) -> runs.Run:
    until(lambda: here.job(run_id) is None)
    return runs.read(run_id)


def workers_of(pid: int) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(pid).children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline())
    ]


def another_app(code: str) -> subprocess.CompletedProcess:
    """What an app that has just started, and knows no engine yet, does with `engine`."""
    return subprocess.run(
        [sys.executable, "-c", f"from core import engine\n{code}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
    )


@pytest.fixture(scope="module")
def shared_folders(tmp_path_factory):
    """Folders of an engine that several tests share; it ends with the last of them."""
    base = tmp_path_factory.mktemp("engine")
    names = {"ATELIER_HOME": str(base / "home"), "ATELIER_RUNS": str(base / "runs")}
    yield names
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        engine.end_own()


@pytest.fixture
def here(own_folders, shared_folders, monkeypatch):
    """The shared engine with an empty queue."""
    for name, value in shared_folders.items():
        monkeypatch.setenv(name, value)
    shared = engine.connect()
    yield shared
    for job in shared.jobs():
        if shared.stop(job.run_id) == "stopping":
            runs.delete(job.run_id)  # it ends sooner with nothing left to save
    until(lambda: not shared.jobs())


@pytest.fixture
def alone(own_folders):
    """A home of its own, whose engine ends with the test."""
    yield own_folders
    engine.end_own()


# --- one engine, and jobs in its queue ------------------------------------------------------------


def test_job_trains_reports_and_leaves_a_finished_run(here):
    run_id = here.submit(SHORT.replace(epochs=3, batch=32))
    jobs = []

    def has_left() -> bool:
        jobs.append(here.job(run_id))
        return jobs[-1] is None

    until(has_left)
    run = runs.read(run_id)
    assert run.status == "finished" and epochs(run_id) == 3
    assert 0.0 <= run.test_accuracy <= 1.0
    reported = [job.progress for job in jobs if job and job.progress]
    assert all(progress.run_id == run_id and progress.epochs == 3 for progress in reported)
    numbers = [progress.epoch for progress in reported]
    assert numbers == sorted(numbers)
    assert here.failure(run_id) is None
    with pytest.raises(AtelierError, match="nothing to resume"):
        here.resume(run_id)


def test_other_jobs_wait_in_the_queue_and_can_be_removed(here):
    first, second, third = (here.submit(LONG) for _ in range(3))
    until(lambda: state(here.job(first)) == "running")
    assert [(job.run_id, job.state, job.place) for job in here.jobs()] == [
        (first, "running", 0),
        (second, "waiting", 1),
        (third, "waiting", 2),
    ]
    status = here.status()
    assert (status.workers, status.running, status.waiting, status.own) == (1, 1, 2, True)

    for run_id in (first, second):
        with pytest.raises(AtelierError, match="in the queue already"):
            here.resume(run_id)

    assert here.stop(second) == "cancelled"
    assert [(job.run_id, job.place) for job in here.jobs()] == [(first, 0), (third, 1)]
    with pytest.raises(RunNotFound):
        runs.read(second)
    with pytest.raises(AtelierError, match="neither training nor waiting"):
        here.stop(second)
    assert here.stop(third) == "cancelled"


def test_a_stopped_run_keeps_what_it_has_learned(here):
    run_id = here.submit(LONG)
    until(lambda: epochs(run_id) >= 1)
    assert here.stop(run_id) == "stopping"
    assert here.job(run_id) is None or state(here.job(run_id)) == "stopping"
    run = finished(here, run_id)
    assert run.status == "stopped" and run.status_text == f"stopped at epoch {epochs(run_id)}"
    assert run.test_accuracy is not None and runs.onnx_bytes(run_id)


def test_a_killed_worker_is_replaced_and_its_job_continues_after_its_last_epoch(here):
    run_id = here.submit(LONG)
    until(lambda: epochs(run_id) >= 2)
    (worker,) = workers_of(process.holder())
    assert worker.nice() == 10
    worker.kill()
    before = runs.history(run_id)
    until(lambda: epochs(run_id) > len(before) + 1)
    assert runs.history(run_id)[: len(before)] == before, "finished epochs were trained again"
    numbers = [epoch.epoch for epoch in runs.history(run_id)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_failed_job_leaves_a_sentence_and_a_traceback_in_the_log(here):
    blocker, doomed = here.submit(LONG), here.submit(SHORT)
    runs.delete(doomed)
    here.stop(blocker)
    sentence = until(lambda: here.failure(doomed))
    assert "was deleted and is in the bin" in sentence
    assert "RunNotFound" in process.log_file().read_text()
    until(lambda: not here.jobs())


def test_two_tabs_that_press_train_at_once_get_two_jobs(here):
    submitted = []
    tabs = [
        threading.Thread(target=lambda: submitted.append(engine.connect().submit(LONG)))
        for _ in range(2)
    ]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(set(submitted)) == 2
    assert {job.run_id for job in here.jobs()} == set(submitted)


def test_many_threads_share_one_connection(here):
    answers = []

    def ask():
        answers.extend(engine.connect().status().address for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [here.address] * 200


def test_restarted_app_finds_its_job(here):
    run_id = here.submit(LONG)
    other = another_app("print([job.run_id for job in engine.connect(start=False).jobs()])")
    assert other.stdout.strip() == str([run_id]), other.stderr


def test_a_path_in_place_of_an_id_is_refused(here):
    for ask in (here.stop, here.resume, here.failure):
        with pytest.raises(RunNotFound):
            ask("../../etc")


# --- engines that come and go ---------------------------------------------------------------------


def test_killed_engine_is_noticed_at_once_and_its_run_is_resumed_by_the_next(alone):
    first = engine.connect()
    run_id = first.submit(LONG)
    until(lambda: epochs(run_id) >= 1)
    pid = process.holder()
    workers = workers_of(pid)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + connection.ANSWER_SECONDS + 1

    def ask_until_noticed():
        while time.monotonic() < deadline:
            first.jobs()

    with pytest.raises(EngineUnavailable, match="can be resumed"):
        ask_until_noticed()
    until(
        lambda: (
            not any(
                worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE
                for worker in workers
            )
        ),
        10,
    )
    assert runs.read(run_id).status == "unfinished"

    before = runs.history(run_id)
    second = engine.connect()
    assert second is not first and second.jobs() == []
    second.resume(run_id)
    until(lambda: epochs(run_id) > len(before))
    assert runs.history(run_id)[: len(before)] == before
    second.shutdown()
    assert not process.locked() and not process.address_file().exists()
    assert runs.read(run_id).status == "unfinished"


def test_two_apps_that_start_it_at_once_end_with_one_engine(alone):
    code = "from core import engine; print(engine.connect(timeout=60).address)"
    apps = [
        subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    addresses = {app.communicate(timeout=90)[0].strip() for app in apps}
    assert addresses == {engine.connect(start=False).address}


@pytest.mark.parametrize("left", ["", "{", "[]", '{"address": 3, "id": "x", "pid": 1}'])
def test_unreadable_address_file_counts_as_none(own_folders, left):
    process.address_file().parent.mkdir()
    process.address_file().write_text(left)
    with pytest.raises(EngineUnavailable, match="No engine is running"):
        engine.connect(start=False)


def test_leftover_address_where_something_else_answers_is_replaced(alone):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        process.address_file().parent.mkdir()
        process.address_file().write_text(
            json.dumps(
                {
                    "address": f"tcp://127.0.0.1:{stranger.getsockname()[1]}",
                    "id": "Scheduler-gone",
                    "pid": os.getpid(),
                    "code": "x",
                }
            )
        )
        own = engine.connect(timeout=60)
    assert own.status().own and own.address == process.read_address()["address"]
    # The same with another scheduler at that address: it answers, but it is not the one that was
    # written down.
    wrong = {**process.read_address(), "id": "Scheduler-gone"}
    process.address_file().write_text(json.dumps(wrong))
    refused = another_app("engine.connect(start=False)")
    assert refused.returncode != 0 and "EngineUnavailable: No engine is running" in refused.stderr


def test_engine_of_other_sources_is_replaced_only_when_it_is_idle(alone):
    first = engine.connect(timeout=60)
    process.address_file().write_text(json.dumps({**process.read_address(), "code": "older"}))
    run_id = first.submit(LONG)
    where = "found = engine.connect(timeout=60); print(found.address, [job.run_id for job in found.jobs()])"
    second = another_app(where)
    assert second.stdout.strip() == f"{first.address} {[run_id]}", second.stderr
    first.stop(run_id)
    until(lambda: not first.jobs())
    third = another_app(where)
    assert third.stdout.strip().endswith(" []") and first.address not in third.stdout, third.stderr
    assert engine.connect(start=False).address == third.stdout.split()[0], (
        "the app that knew the old one finds the new one"
    )


def test_home_that_cannot_be_written_is_reported_in_a_sentence(own_folders, monkeypatch):
    (own_folders / "file").write_text("")
    monkeypatch.setenv("ATELIER_HOME", str(own_folders / "file" / "home"))
    with pytest.raises(EngineUnavailable, match="cannot be written"):
        engine.connect()


@pytest.mark.parametrize(
    ("apps", "jobs", "seconds", "ends"),
    [
        ({}, {}, 0.2, True),
        ({"an app": 1}, {}, 0.2, False),
        ({}, {"a job": 1}, 0.2, False),
        ({}, {}, math.inf, False),  # in the foreground
    ],
)
def test_engine_that_nobody_uses_ends_by_itself(apps, jobs, seconds, ends):
    scheduler = SimpleNamespace(tasks=jobs, client_comms=apps)

    async def wait() -> bool:
        ended = asyncio.Event()
        watch = asyncio.create_task(process._end_when_forgotten(scheduler, ended, seconds))
        await asyncio.wait([watch], timeout=1.0)
        watch.cancel()
        return ended.is_set()

    assert asyncio.run(wait()) is ends


# --- somebody else's cluster ----------------------------------------------------------------------


@pytest.fixture
def cluster(own_folders, monkeypatch):
    """A scheduler that has never heard of Atelier, and two workers that can import it."""
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ATELIER_") and name != "PYTHONPATH"
    }
    able = {**bare, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}
    note = own_folders / "scheduler.json"
    process.log_file().parent.mkdir()
    log = process.log_file().open("ab")
    plain = {"cwd": own_folders, "stdout": log, "stderr": log}
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--dashboard-address",
                "127.0.0.1:0",
                "--scheduler-file",
                str(note),
            ],
            env=bare,
            **plain,
        )
    ]
    try:
        address = json.loads(until(lambda: note.exists() and note.read_text(), 30))["address"]
        processes += [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "distributed.cli.dask_worker",
                    address,
                    "--nthreads",
                    "1",
                    "--no-nanny",
                    "--no-dashboard",
                    "--preload",
                    "core.engine.worker",
                ],
                env=able,
                **plain,
            )
            for _ in range(2)
        ]
        monkeypatch.setenv("ATELIER_ENGINE", address)
        yield address
    finally:
        for started in processes:
            started.kill()
        for started in processes:
            started.wait()
        log.close()


def test_another_scheduler_trains_as_many_jobs_as_it_has_workers(cluster):
    joined = engine.connect()
    until(lambda: joined.status().workers == 2)
    checked = joined.check_gradient(SMOOTH, weights=1).result(240)
    assert checked.wrong == 0, "a scheduler without Atelier passes calculations on"
    first, second, third = (joined.submit(LONG) for _ in range(3))
    until(lambda: [job.state for job in joined.jobs()] == ["running", "running", "waiting"])
    assert joined.job(third).place == 1 and not joined.status().own
    until(lambda: epochs(first) and epochs(second))
    with pytest.raises(AtelierError, match="not started here"):
        joined.shutdown()
    assert joined.stop(third) == "cancelled"
    for run_id in (first, second):
        assert joined.stop(run_id) == "stopping"
        runs.delete(run_id)
    until(lambda: not joined.jobs())


def test_a_scheduler_that_wants_certificates_is_asked_for_in_a_sentence(own_folders, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as there:
        monkeypatch.setenv("ATELIER_ENGINE", f"tls://127.0.0.1:{there.getsockname()[1]}")
        with pytest.raises(EngineUnavailable, match="certificates"):
            engine.connect()


@pytest.mark.parametrize("address", ["localhost", "tcp://127.0.0.1", "tcp://127.0.0.1:99999"])
def test_malformed_address_is_refused_with_an_example(own_folders, monkeypatch, address):
    monkeypatch.setenv("ATELIER_ENGINE", address)
    with pytest.raises(EngineUnavailable, match="tcp://host:8786"):
        engine.connect()


def test_scheduler_that_does_not_answer_is_reported_in_a_sentence(own_folders, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("ATELIER_ENGINE", f"tcp://127.0.0.1:{port}")
    with pytest.raises(EngineUnavailable, match="unset ATELIER_ENGINE"):
        engine.connect()


# --- the board by itself --------------------------------------------------------------------------


@pytest.fixture
def board():
    """A board whose scheduler remembers what it was asked to cancel."""
    board = Board()
    cancelled = []
    board.scheduler = SimpleNamespace(
        workers={},
        allowed_failures=3,
        tasks={},
        cancelled=cancelled,
        stimulus_cancel=lambda keys, **rest: cancelled.extend(keys),
    )
    return board


def join_queue(board, *run_ids):
    for run_id in run_ids:
        board.transition(key(run_id), "released", "waiting")


def test_job_given_to_another_worker_tells_the_first_to_leave_it(board):
    join_queue(board, "a")
    first = board.begin("a", "tcp://one")
    board.remove_worker(board.scheduler, "tcp://one")
    second = board.begin("a", "tcp://two")
    assert board.report("a", first, {"epoch": 1}) == "gone"
    assert board.report("a", second, {"epoch": 2}) == "go"
    board.end("a", first, "too late")
    assert board.jobs()["jobs"][0]["progress"] == {"epoch": 2} and board.failure("a") is None


def test_cancelled_job_cannot_begin(board):
    join_queue(board, "a")
    assert board.stop("a") == "cancelled" and board.scheduler.cancelled == [key("a")]
    assert board.begin("a", "tcp://one") == 0


def test_stop_survives_its_worker_and_a_second_stop_removes_a_job_without_a_worker(board):
    join_queue(board, "a")
    board.begin("a", "tcp://one")
    assert board.stop("a") == "stopping"
    board.remove_worker(board.scheduler, "tcp://one")
    assert board.report("a", board.begin("a", "tcp://two"), None) == "stop"
    board.remove_worker(board.scheduler, "tcp://two")
    assert board.stop("a") == "cancelled"


def test_worker_that_keeps_dying_ends_the_job_with_a_sentence(board):
    join_queue(board, "a")
    board.scheduler.tasks[key("a")] = SimpleNamespace(suspicious=4, exception_text="KilledWorker()")
    board.transition(key("a"), "processing", "erred")
    assert board.jobs()["jobs"] == [] and "died 4 times" in board.failure("a")
    join_queue(board, "a")
    assert board.failure("a") is None, "a new attempt begins with a clean slate"


def test_worker_counts_once_it_takes_jobs(board):
    board.scheduler.workers = {
        "tcp://one": SimpleNamespace(status=Status.init),
        "tcp://two": SimpleNamespace(status=Status.running),
    }
    assert board.jobs()["workers"] == 1


def test_tasks_of_others_on_the_same_scheduler_are_left_alone(board):
    board.transition(("array", 0), "released", "waiting")
    board.transition("sum-1", "released", "waiting")
    assert board.jobs() == {"jobs": [], "workers": 0}
