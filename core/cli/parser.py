"""Atelier from a terminal: `python -m core COMMAND`, the same code as behind the pages.

This module only knows arguments: each command names the function that carries it out. What is slow
to import (ONNX Runtime, Dask, SciPy) is imported inside those functions, so that every command
starts in a blink; nothing but `train --local` imports TensorFlow. What a user can mend ends with
status 1 and one sentence on standard error; where a command answers with several things, `--json`
prints one object a line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from core.cli import ask, check_gradient, manage, reproduce, terminal, train
from core.errors import AtelierError

INTERRUPTED = 130  # what shells give to a command ended by Ctrl-C
PIPE_CLOSED = 141  # and to one whose reader went away
DATA = ("fashion-mnist", "offline-sample")


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments without the program's name; those of the process by default.

    Returns:
        the exit status: 0, or 1 with a sentence on standard error.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # Names of files and runs in a terminal that lacks their letters.
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = _parser().parse_args(argv, argparse.Namespace(json=False))
        status = arguments.act(arguments)
        sys.stdout.flush()
        return status
    except AtelierError as error:
        terminal.remark(str(error))
        return 1
    except KeyboardInterrupt:
        terminal.remark("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Else Python complains while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, like every other error."""

    def error(self, message: str):
        raise AtelierError(
            f"{message[0].upper()}{message[1:].rstrip('.')}. `{self.prog} --help` lists what there is."
        )


def _parser() -> _Parser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="answer in JSON, one object a line",
    )
    parser = _Parser(
        "python -m core",
        description="Train networks on Fashion-MNIST, question them, show them pictures.",
        parents=[common],
        allow_abbrev=False,
    )
    parser.set_defaults(act=lambda arguments: parser.print_help() or 0)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(
        group, name: str, act: Callable[[argparse.Namespace], int], sentence: str
    ) -> _Parser:
        made = group.add_parser(
            name, help=sentence, description=sentence, parents=[common], allow_abbrev=False
        )
        made.set_defaults(act=act)
        return made

    _add_train(
        command(
            commands,
            "train",
            train.train,
            "Train a run on the engine, follow it, print its record.",
        )
    )
    _add_evaluate(
        command(commands, "evaluate", ask.evaluate, "Let a run answer all pictures of a split.")
    )
    _add_predict(command(commands, "predict", ask.predict, "Say what pictures show."))
    command(commands, "presets", manage.presets, "List the trainings that have a name.")
    _add_reproduce(
        command(
            commands,
            "reproduce",
            reproduce.reproduce,
            "Train published systems, and compare with their reports.",
        )
    )
    _add_gradient_check(
        command(
            commands,
            "gradient-check",
            check_gradient.check,
            "Compare back-propagation with central differences.",
        )
    )
    _add_runs(
        command,
        command(commands, "runs", manage.list_runs, "List, change, export and delete runs."),
    )
    _add_data(
        command,
        command(
            commands, "data", manage.data_status, "Find and download the data, write some as files."
        ),
    )
    _add_engine(
        command,
        command(commands, "engine", manage.engine_status, "Start, question and stop what trains."),
    )
    return parser


def _add_train(made: _Parser) -> None:
    made.add_argument("--preset", metavar="NAME", help="where to begin (default: swift)")
    made.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one setting, as in --set filters=32,64 --set flip=yes; may be repeated",
    )
    made.add_argument("--epochs", metavar="N", help="the same as --set epochs=N")
    made.add_argument("--seed", metavar="S", help="the same as --set seed=S")
    made.add_argument("--name", help="what the run will be called in lists")
    made.add_argument("--resume", metavar="RUN", help="go on with an unfinished run")
    made.add_argument(
        "--local", action="store_true", help="train in this process instead of on the engine"
    )


def _add_evaluate(made: _Parser) -> None:
    made.add_argument(
        "run", nargs="?", metavar="RUN", help="a finished run; the champion by default"
    )
    made.add_argument(
        "--split",
        choices=("test", "validation"),
        default="test",
        help="which pictures (default: test)",
    )
    made.add_argument("--data", choices=DATA, help="default: what the run was trained on")


def _add_predict(made: _Parser) -> None:
    made.add_argument(
        "files", nargs="+", metavar="FILE", help="a picture of one garment; - reads standard input"
    )
    made.add_argument("--run", metavar="RUN", help="a finished run; the champion by default")
    made.add_argument(
        "--crop",
        type=_crop,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="read only this part, in shares of width and height, as in --crop 0,0,0.5,1 for the left half",
    )
    made.add_argument(
        "--polarity",
        choices=("auto", "light-on-dark", "dark-on-light"),
        default="auto",
        help="whether the garment is lighter or darker than its background (default: auto)",
    )
    made.add_argument("--no-trim", dest="trim", action="store_false", help="keep the margins")
    made.add_argument(
        "--no-fill",
        dest="fill",
        action="store_false",
        help="leave the insides of line drawings empty",
    )


def _add_reproduce(made: _Parser) -> None:
    made.add_argument(
        "names", nargs="*", metavar="NAME", help="presets (default: all that a report published)"
    )
    made.add_argument(
        "--quick", action="store_true", help="two epochs each, to see that everything runs"
    )
    made.add_argument(
        "--table", metavar="FILE", help="also write the table into this file, after each preset"
    )


def _add_gradient_check(made: _Parser) -> None:
    made.add_argument(
        "preset", metavar="PRESET", help="a training with a name; its network gets fresh weights"
    )
    made.add_argument(
        "--epsilon",
        type=float,
        default=0.01,
        metavar="E",
        help="how far each weight is moved, at first (default: 0.01)",
    )
    made.add_argument(
        "--weights",
        type=_count,
        default=10,
        metavar="N",
        help="how many of each array of weights (default: 10)",
    )
    made.add_argument(
        "--data",
        choices=DATA,
        help="where the ten pictures come from (default: what the preset trains on)",
    )
    made.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="S",
        help="of the weights and of which are checked (default: 0)",
    )


def _add_runs(command, made: _Parser) -> None:
    jobs = made.add_subparsers(
        title="what to do", metavar="list|show|measure|rename|note|promote|export|delete"
    )
    listing = command(
        jobs, "list", manage.list_runs, "List all runs, newest first (* answers by default)."
    )
    listing.add_argument("--finished", action="store_true", help="only runs that have a network")
    made.set_defaults(finished=False)
    measuring = command(
        jobs,
        "measure",
        ask.measure,
        "Measure a run on drawings and photographs, and keep the figures with it.",
    )
    measuring.add_argument(
        "run", nargs="?", metavar="RUN", help="a finished run; the champion by default"
    )
    measuring.add_argument(
        "--photographs",
        metavar="FOLDER",
        help="folders named t-shirt, pants, shoes, … (default: ATELIER_PHOTOS)",
    )
    measuring.add_argument(
        "--count",
        type=_count,
        default=300,
        metavar="N",
        help="drawings of each kind (default: 300)",
    )
    for name, function, sentence in (
        ("show", manage.show_run, "Show a run's record and epochs."),
        ("rename", manage.rename_run, "Call a run something else."),
        ("note", manage.note_run, "Keep a remark with a run."),
        (
            "promote",
            manage.promote_run,
            "Make a run the champion, the one that answers by default.",
        ),
        ("export", manage.export_run, "Write a run as a zip file."),
        ("delete", manage.delete_runs, "Delete runs for good."),
    ):
        job = command(jobs, name, function, sentence)
        if name == "delete":
            job.add_argument("runs", nargs="+", metavar="RUN")
        else:
            job.add_argument("run", metavar="RUN")
        if name in ("rename", "note"):
            job.add_argument("text", metavar="TEXT")
        if name == "export":
            place = job.add_mutually_exclusive_group()
            place.add_argument(
                "--to", metavar="FILE", help="where to (default: RUN.zip in this folder)"
            )
            place.add_argument(
                "--folder", metavar="FOLDER", help="a folder instead, as assets/shipped is one"
            )


def _add_data(command, made: _Parser) -> None:
    jobs = made.add_subparsers(title="what to do", metavar="status|download|sample")
    command(jobs, "status", manage.data_status, "Say where Fashion-MNIST is.")
    command(
        jobs, "download", manage.data_download, "Fetch Fashion-MNIST into Atelier's own folder."
    )
    sample = command(
        jobs, "sample", manage.data_sample, "Write test pictures as PNG files, to try predict on."
    )
    sample.add_argument(
        "folder", nargs="?", default="sample", metavar="FOLDER", help="where to (default: sample)"
    )
    sample.add_argument(
        "--data",
        choices=DATA,
        help="default: the real data if they are here, else the offline sample",
    )
    sample.add_argument(
        "--count", type=_count, default=10, metavar="N", help="how many (default: 10)"
    )
    sample.add_argument(
        "--seed", type=_seed, default=0, metavar="S", help="which ones (default: 0)"
    )


def _add_engine(command, made: _Parser) -> None:
    jobs = made.add_subparsers(title="what to do", metavar="status|start|stop")
    command(
        jobs, "status", manage.engine_status, "Say whether an engine is there and what it does."
    )
    start = command(jobs, "start", manage.engine_start, "Start the engine of this home.")
    start.add_argument("--foreground", action="store_true", help="be the engine, until Ctrl-C")
    start.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="with --foreground: jobs at the same time (default: 1)",
    )
    command(
        jobs, "stop", manage.engine_stop, "End the engine of this home; what trains can be resumed."
    )


def _crop(text: str):
    """A `core.pictures.crop.Crop`; what cannot be one becomes argparse's kind of refusal."""
    from core.pictures import crop

    try:
        return crop.parse(text)
    except ValueError as refusal:
        raise argparse.ArgumentTypeError(str(refusal)) from refusal


def _seed(text: str) -> int:
    return _whole_number(text, 0)


def _count(text: str) -> int:
    return _whole_number(text, 1)


def _whole_number(text: str, lowest: int) -> int:
    if not text.isdecimal() or int(text) < lowest:
        raise argparse.ArgumentTypeError(
            f"must be a whole number from {lowest} upwards; received {text!r}"
        )
    return int(text)
