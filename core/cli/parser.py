"""Atelier from a terminal: `python -m core COMMAND`, the same code as behind the pages.

This module only knows arguments. The module that carries out a command is imported once it is
asked for, because it brings ONNX Runtime, SciPy or the run library with it: so `--help` takes 0.1 s
and no command waits for what it does not need. Nothing but `train --local` imports TensorFlow. What
a user can correct ends with status 1 and one sentence on standard error.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from core.cli import terminal
from core.errors import AtelierError

if TYPE_CHECKING:
    from core.pictures import Crop

INTERRUPTED = 130  # what shells give to a command ended by Ctrl-C
PIPE_CLOSED = 141  # and to one whose reader went away
DATA = ("fashion-mnist", "offline-sample")
Action = Callable[[argparse.Namespace], int]


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
        parser = _parser()
        arguments = parser.parse_args(argv, argparse.Namespace(json=False, command=None))
        if arguments.command is None:
            parser.print_help()
            return 0
        status = action(arguments.command)(arguments)
        sys.stdout.flush()
        return status
    except AtelierError as error:
        terminal.remark(str(error))
        return 1
    except KeyboardInterrupt:
        terminal.remark("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:
        # Otherwise Python complains when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def action(command: str) -> Action:
    """Import what carries out a command.

    Args:
        command: such as "train" or "runs list".
    """
    if command == "train":
        from core.cli import train

        return train.train
    if command == "search":
        from core.cli import search

        return search.search
    if command == "reproduce":
        from core.cli import reproduce

        return reproduce.reproduce
    if command == "gradient-check":
        from core.cli import check_gradient

        return check_gradient.check
    if command in ("evaluate", "predict", "runs measure"):
        from core.cli import ask

        answering: dict[str, Action] = {
            "evaluate": ask.evaluate,
            "predict": ask.predict,
            "runs measure": ask.measure,
        }
        return answering[command]
    from core.cli import manage

    managing: dict[str, Action] = {
        "presets": manage.presets,
        "runs list": manage.list_runs,
        "runs show": manage.show_run,
        "runs rename": manage.rename_run,
        "runs note": manage.note_run,
        "runs promote": manage.promote_run,
        "runs export": manage.export_run,
        "runs delete": manage.delete_runs,
        "runs bin": manage.list_bin,
        "runs restore": manage.restore_runs,
        "runs empty-bin": manage.empty_bin,
        "data status": manage.data_status,
        "data download": manage.data_download,
        "data sample": manage.data_sample,
        "engine status": manage.engine_status,
        "engine start": manage.engine_start,
        "engine stop": manage.engine_stop,
    }
    return managing[command]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, like every other error."""

    def error(self, message: str) -> NoReturn:
        raise AtelierError(
            f"{message[0].upper()}{message[1:].rstrip('.')}. `{self.prog} --help` lists what there "
            f"is."
        )


def _common() -> _Parser:
    """What every command takes."""
    common = _Parser(add_help=False)
    common.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="answer in JSON, one object per line",
    )
    return common


def _parser() -> _Parser:
    parser = _Parser(
        "python -m core",
        description="Train networks on Fashion-MNIST, evaluate them, and classify pictures.",
        parents=[_common()],
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    _add_train(_add(commands, "train", "Train a run on the engine, follow it, print its record."))
    _add_search(_add(commands, "search", "Search for better settings, trial by trial."))
    _add_evaluate(_add(commands, "evaluate", "Evaluate a run on a split."))
    _add_predict(_add(commands, "predict", "Classify pictures."))
    _add(commands, "presets", "List the presets.")
    _add_reproduce(
        _add(commands, "reproduce", "Train published systems, and compare with their reports.")
    )
    _add_gradient_check(
        _add(commands, "gradient-check", "Compare back-propagation with central differences.")
    )
    _add_runs(_add(commands, "runs", "List, change, export and delete runs.", default="list"))
    _add_data(
        _add(
            commands,
            "data",
            "Find and download the data, write some pictures as files.",
            default="status",
        )
    )
    _add_engine(
        _add(commands, "engine", "Start, query and stop what trains.", default="status"),
    )
    return parser


def _add(
    commands: argparse._SubParsersAction[_Parser],
    command: str,
    sentence: str,
    *,
    default: str = "",
) -> _Parser:
    """Add a command.

    Args:
        command: in full, such as "runs show".
        default: for a group, the command of it that runs if none is named.
    """
    parser = commands.add_parser(
        command.split()[-1],
        help=sentence,
        description=sentence,
        parents=[_common()],
        allow_abbrev=False,
    )
    parser.set_defaults(command=f"{command} {default}".rstrip())
    return parser


def _add_train(parser: _Parser) -> None:
    _add_settings(parser)
    parser.add_argument("--resume", metavar="RUN", help="continue an interrupted or stopped run")
    parser.add_argument(
        "--more",
        type=_count,
        metavar="N",
        help="with --resume: train a copy of this run for N more epochs than it was meant to have",
    )
    parser.add_argument(
        "--local", action="store_true", help="train in this process instead of on the engine"
    )


def _add_settings(parser: _Parser) -> None:
    """The spec of a training: a preset and changes."""
    parser.add_argument("--preset", metavar="NAME", help="where to begin (default: swift)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change one setting, as in --set filters=32,64 --set flip=yes; may be repeated",
    )
    parser.add_argument("--epochs", metavar="N", help="the same as --set epochs=N")
    parser.add_argument("--seed", metavar="S", help="the same as --set seed=S")
    parser.add_argument("--name", help="what the run will be called in lists")


def _add_search(parser: _Parser) -> None:
    _add_settings(parser)
    parser.add_argument(
        "--range",
        action="append",
        default=[],
        metavar="KEY=RANGE",
        help="where to search a setting: learning_rate=0.001:0.1:log, batch=64:512, "
        "optimizer=adam,sgd; may be repeated",
    )
    parser.add_argument("--trials", type=_count, metavar="N", help="at most so many (default: 20)")
    parser.add_argument(
        "--minutes",
        type=float,
        metavar="M",
        help="begin no trial after so many minutes of training of all trials together",
    )
    parser.add_argument(
        "--sampler",
        choices=("tpe", "random"),
        help="how the next trial is chosen (default: tpe)",
    )
    parser.add_argument("--resume", metavar="SEARCH", help="continue a search")


def _add_evaluate(parser: _Parser) -> None:
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="a finished run; the champion by default"
    )
    parser.add_argument(
        "--split",
        choices=("test", "validation"),
        default="test",
        help="which pictures (default: test)",
    )
    parser.add_argument("--data", choices=DATA, help="default: what the run was trained on")


def _add_predict(parser: _Parser) -> None:
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a picture of one garment; - reads standard input"
    )
    parser.add_argument("--run", metavar="RUN", help="a finished run; the champion by default")
    parser.add_argument(
        "--crop",
        type=_crop,
        metavar="LEFT,TOP,RIGHT,BOTTOM",
        help="read only this part, as shares of width and height: --crop 0,0,0.5,1 is the left half",
    )
    parser.add_argument(
        "--polarity",
        choices=("auto", "light-on-dark", "dark-on-light"),
        default="auto",
        help="whether the garment is lighter or darker than its background (default: auto)",
    )
    parser.add_argument("--no-trim", dest="trim", action="store_false", help="keep the margins")
    parser.add_argument(
        "--no-fill",
        dest="fill",
        action="store_false",
        help="do not fill closed outlines of line drawings",
    )


def _add_reproduce(parser: _Parser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="presets (default: all that have a report)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="two epochs each, to see that everything runs"
    )
    parser.add_argument(
        "--table", metavar="FILE", help="also write the table into this file, after each preset"
    )


def _add_gradient_check(parser: _Parser) -> None:
    parser.add_argument("preset", metavar="PRESET", help="a preset; its network gets new weights")
    parser.add_argument(
        "--epsilon",
        type=float,
        default=0.01,
        metavar="E",
        help="how far each weight is moved at first (default: 0.01)",
    )
    parser.add_argument(
        "--weights",
        type=_count,
        default=10,
        metavar="N",
        help="how many of each array of weights (default: 10)",
    )
    parser.add_argument(
        "--data",
        choices=DATA,
        help="where the ten pictures come from (default: what the preset trains on)",
    )
    parser.add_argument(
        "--seed",
        type=_seed,
        default=0,
        metavar="S",
        help="of the weights, and of the choice of those that are checked (default: 0)",
    )


def _add_runs(parser: _Parser) -> None:
    parser.set_defaults(finished=False)
    commands = parser.add_subparsers(
        title="what to do",
        metavar="list|show|measure|rename|note|promote|export|delete|bin|restore|empty-bin",
        parser_class=_Parser,
    )
    _add(commands, "runs bin", "List the runs in the bin, the one deleted last first.")
    _add(commands, "runs empty-bin", "Delete the runs in the bin for good.")
    listing = _add(commands, "runs list", "List all runs, newest first (* marks the champion).")
    listing.add_argument("--finished", action="store_true", help="only runs that have a network")
    measuring = _add(
        commands,
        "runs measure",
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
    for command, sentence in (
        ("runs show", "Show a run's record and epochs."),
        ("runs rename", "Give a run another name."),
        ("runs note", "Add a note to a run."),
        ("runs promote", "Make a run the champion, the one that answers by default."),
        ("runs export", "Write a run as a zip file."),
        ("runs delete", "Move runs to the bin."),
        ("runs restore", "Bring runs back from the bin."),
    ):
        subparser = _add(commands, command, sentence)
        if command in ("runs delete", "runs restore"):
            subparser.add_argument("runs", nargs="+", metavar="RUN")
        else:
            subparser.add_argument("run", metavar="RUN")
        if command in ("runs rename", "runs note"):
            subparser.add_argument("text", metavar="TEXT")
        if command == "runs export":
            target = subparser.add_mutually_exclusive_group()
            target.add_argument(
                "--to", metavar="FILE", help="where to (default: RUN.zip in this folder)"
            )
            target.add_argument(
                "--folder", metavar="FOLDER", help="a folder instead, such as assets/shipped"
            )


def _add_data(parser: _Parser) -> None:
    commands = parser.add_subparsers(
        title="what to do", metavar="status|download|sample", parser_class=_Parser
    )
    _add(commands, "data status", "Say where Fashion-MNIST is.")
    _add(commands, "data download", "Download Fashion-MNIST into Atelier's own folder.")
    sample = _add(commands, "data sample", "Write test pictures as PNG files, to try predict on.")
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


def _add_engine(parser: _Parser) -> None:
    commands = parser.add_subparsers(
        title="what to do", metavar="status|start|stop", parser_class=_Parser
    )
    _add(commands, "engine status", "Say whether an engine is there and what it does.")
    start = _add(commands, "engine start", "Start the engine of this home.")
    start.add_argument(
        "--foreground", action="store_true", help="run in this terminal until Ctrl-C"
    )
    start.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="with --foreground: jobs at the same time (default: 1)",
    )
    _add(
        commands,
        "engine stop",
        "End the engine of this home; interrupted trainings can be resumed.",
    )


def _crop(text: str) -> Crop:
    """What cannot be a crop becomes argparse's kind of refusal."""
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
