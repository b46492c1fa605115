"""What one visitor's session remembers, and how it is kept in step with the address.

Two ideas. Everything a session remembers beyond its widgets is a dataclass, reached through
`session` or `page_state`, never a bare string key. And a view that can be sent to someone is an
address: `follow` gives a widget the value that the address asks for, `publish` writes the widget's
value back, so that links, the Back button and widgets all lead to the same view. A value that the
address cannot have is answered with a sentence and the default.

Nothing here is shared between visitors; that is `cache.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st

T = TypeVar("T")
_KEY = "atelier_session"
_NEVER = object()


@dataclass
class Session:
    """One visitor's memory.

    Attributes:
        use_sample: the visitor asked for the offline sample because the real data are not here.
        shuffle: how often Home's pictures were reshuffled; seeds the draw.
        addresses: by widget key, the text that its address parameter last had (None: it was
            absent).
        charts: by key, how often a clickable chart was made anew; see `charts.matrix`.
        notices: the place at the top of the page for sentences about its address; `frame.begin`
            makes it.
        pinned: parameters at their defaults that an address must name as soon as it names anything,
            because the default may be another one tomorrow (the champion).
        pages: by class name, what a page remembers of its own; see `page_state`.
    """

    use_sample: bool = False
    shuffle: int = 0
    addresses: dict[str, str | None] = field(default_factory=dict)
    charts: dict[str, int] = field(default_factory=dict)
    notices: Any = None
    pinned: dict[str, str] = field(default_factory=dict)
    pages: dict[str, Any] = field(default_factory=dict)


def session() -> Session:
    """This visitor's `Session`, made at first use."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Session()
    return st.session_state[_KEY]


def page_state(kind: type[T]) -> T:
    """A page's own memory: one instance of the dataclass `kind` per session, made with its defaults
    at first use.

    The class must be defined in a module of `ui/` (a class defined in a page is a new one at every
    run of the script).
    """
    return session().pages.setdefault(f"{kind.__module__}.{kind.__qualname__}", kind())


def reshuffle() -> None:
    """Draw other pictures on Home."""
    session().shuffle += 1


def use_sample(wanted: bool = True) -> None:
    """Work with the offline sample where the real data are missing, or no longer."""
    session().use_sample = wanted


def asked(param: str, parse: Callable[[str], T], default: T) -> T:
    """What the address asks for.

    Args:
        param: name of the address parameter.
        parse: turns its text into a value; raises `ValueError` with a full sentence for anything it
            cannot be.
        default: the value where the parameter is absent or refused. A refusal is shown as a warning
            at the top of the page.
    """
    text = st.query_params.get(param)
    if text is None:
        return default
    try:
        return parse(text)
    except ValueError as refusal:
        (session().notices or st).warning(str(refusal), icon=":material/link_off:")
        return default


def follow(
    param: str,
    key: str,
    parse: Callable[[str], Any],
    default: Any,
    valid: Callable[[Any], bool] = lambda value: True,
) -> Any:
    """Before a widget is drawn: give it the value the address asks for, if the address changed
    since it was last drawn.

    Args:
        param: name of the address parameter.
        key: the widget's key.
        parse: as in `asked`.
        default: as in `asked`.
        valid: whether the widget's present value is still one it may have (a run may be gone by
            now).

    Returns:
        the value that the widget will have.
    """
    changed = st.query_params.get(param) != session().addresses.get(key, _NEVER)
    if changed or key not in st.session_state or not valid(st.session_state[key]):
        st.session_state[key] = asked(param, parse, default)
    return st.session_state[key]


def publish(param: str, key: str, text: str | None) -> None:
    """After a widget is drawn: let the address say `text`, or nothing where the value is the
    default (None).

    A default that was pinned and is already named stays named.
    """
    named = st.query_params.get(param)
    if text is None and named is not None and named == session().pinned.get(param):
        text = named
    if text != named:
        put({param: text})
    session().addresses[key] = text


def linked(
    param: str,
    key: str,
    names: dict[str, T],
    what: str,
    default: T,
    draw: Callable[[list[T]], T] | None,
) -> T:
    """A widget with a few choices, in step with the address.

    Args:
        param: name of the address parameter.
        key: the widget's key.
        names: address text → the widget's value, in the order in which they are offered.
        what: the choice in words, for the sentence on a wrong address.
        default: the value that the address need not mention.
        draw: draws the widget with this key for these values and returns its value. None draws
            nothing and takes the address's word: for a view that keeps its filters while they are
            out of sight.
    """
    if draw is None:
        return asked(param, one_of(names, what), default)
    follow(param, key, one_of(names, what), default, valid=lambda value: value in names.values())
    value = draw(list(names.values()))
    publish(
        param,
        key,
        None if value == default else next(text for text, one in names.items() if one == value),
    )
    return value


def put(changes: dict[str, str | None]) -> None:
    """Change several address parameters; None takes one out. Used by clicks: the widgets follow at
    the next run.
    """
    if any(text is not None for text in changes.values()):
        changes = {
            **{
                param: text
                for param, text in session().pinned.items()
                if param not in st.query_params
            },
            **changes,
        }
    for param, text in changes.items():
        if text is None:
            st.query_params.pop(param, None)
        elif st.query_params.get(param) != text:
            st.query_params[param] = text


def pin(param: str, text: str) -> None:
    """Name this default in every address that this run of the page makes."""
    session().pinned[param] = text


def link(changes: dict[str, str]) -> str:
    """The address of a view that differs from the present one by `changes`, relative to the page
    (`?run=…`).
    """
    return "?" + urlencode({**session().pinned, **st.query_params.to_dict(), **changes})


def without(*params: str) -> dict[str, str]:
    """What the address says, apart from some parameters: two of these are equal where the view is."""
    return {param: text for param, text in st.query_params.to_dict().items() if param not in params}


def one_of(names: dict[str, T], what: str) -> Callable[[str], T]:
    """A parser for `asked` and `follow`: address text → value, refusing all others with the allowed
    ones.
    """

    def parse(text: str) -> T:
        if text not in names:
            raise ValueError(
                f"The address asks for {what} “{text[:40]}”; it can be {', '.join(names)}."
            )
        return names[text]

    return parse


def whole_number(lowest: int, highest: int, what: str) -> Callable[[str], int]:
    """A parser for `asked` and `follow`: a whole number from `lowest` to `highest`, both included."""

    def parse(text: str) -> int:
        if not (
            text.isascii() and text.isdigit() and len(text) < 10 and lowest <= int(text) <= highest
        ):
            raise ValueError(
                f"The address asks for {what} “{text[:40]}”; it can be {lowest} to {highest}."
            )
        return int(text)

    return parse
