"""What one visitor's session remembers, and how it is kept in step with the address.

Everything that a session remembers beyond its widgets is a dataclass, reached through `session` or
`page_state`, never a bare string key.

Every view that can be shared is an address. `follow` gives a widget the value that the address asks
for, `publish` writes the widget's value back, so that links, the Back button and widgets all lead
to the same view. An impossible value in the address gets a sentence and the default.

Nothing here is shared between visitors; that is `cache.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import wording

T = TypeVar("T")
_KEY = "atelier_session"
_NEVER = object()


@dataclass
class Session:
    """One visitor's memory.

    Attributes:
        use_sample: the visitor asked for the offline sample because the real data are missing.
        bigger_text: text at 125 %, for a projector.
        shuffle: how often Home's pictures were reshuffled; seeds the draw.
        addresses: by widget key, the text that its address parameter last had (None: it was
            absent).
        notices: the container at the top of the page for sentences about its address, made by
            `frame.begin`.
        pinned: parameters at their defaults that an address must name as soon as it names anything,
            because the default may be different tomorrow (the champion).
        pages: by class name, what a page remembers of its own; see `page_state`.
    """

    use_sample: bool = False
    bigger_text: bool = False
    shuffle: int = 0
    addresses: dict[str, str | None] = field(default_factory=dict)
    notices: DeltaGenerator | None = None
    pinned: dict[str, str] = field(default_factory=dict)
    pages: dict[str, object] = field(default_factory=dict)


def session() -> Session:
    """This visitor's `Session`, created at first use."""
    kept = st.session_state.get(_KEY)
    if not isinstance(kept, Session):
        kept = st.session_state[_KEY] = Session()
    return kept


def page_state(kind: type[T]) -> T:
    """A page's own memory: one instance of the dataclass `kind` per session.

    It is created with its defaults at first use. The class must be defined in a module of `ui/`: a
    class defined in a page is a new one at every run of the script.
    """
    name = f"{kind.__module__}.{kind.__qualname__}"
    kept = session().pages.get(name)
    if not isinstance(kept, kind):
        kept = session().pages[name] = kind()
    return kept


def reshuffle() -> None:
    """Draw other pictures on Home."""
    session().shuffle += 1


def use_sample(wanted: bool = True) -> None:
    """Use the offline sample where the real data are missing, or stop using it; the address says
    so, that a reload and a link do the same.
    """
    session().use_sample = wanted
    put({"data": "sample" if wanted else None})


def read(param: str, parse: Callable[[str], T], default: T) -> T:
    """What the address asks for.

    Args:
        param: name of the address parameter.
        parse: turns its text into a value; raises `ValueError` with a full sentence for a text that
            it cannot accept.
        default: the value where the parameter is absent or refused. A refusal is shown as a warning
            at the top of the page.
    """
    text = st.query_params.get(param)
    if text is None:
        return default
    try:
        return parse(text)
    except ValueError as refusal:
        (session().notices or st).warning(
            wording.sentence(str(refusal)), icon=":material/link_off:"
        )
        return default


def follow(
    param: str,
    key: str,
    parse: Callable[[str], T],
    default: T,
    valid: Callable[[T], bool] = lambda value: True,
) -> T:
    """Give a widget the value that the address asks for; to be called before the widget is drawn.

    The widget keeps its value while the address stays as it was when the widget was last drawn.

    Args:
        param: name of the address parameter.
        key: the widget's key.
        parse: as in `read`.
        default: as in `read`.
        valid: whether the widget may still have its present value (a run may have been deleted
            since).

    Returns:
        the value that the widget will have.
    """
    changed = st.query_params.get(param) != session().addresses.get(key, _NEVER)
    if changed or key not in st.session_state or not valid(st.session_state[key]):
        st.session_state[key] = read(param, parse, default)
    value: T = st.session_state[key]
    return value


def publish(param: str, key: str, text: str | None) -> None:
    """Let the address say `text`, or nothing where the value is the default (None).

    To be called after the widget is drawn. A pinned default that is already named stays named.
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
    draw: Callable[[list[T]], T | None] | None,
) -> T:
    """Draw a widget with a few choices and keep it in step with the address.

    Args:
        param: name of the address parameter.
        key: the widget's key.
        names: address text → the widget's value, in the order in which they are offered.
        what: the choice in words, for the sentence about a wrong address.
        default: the value that the address need not mention, and the one taken where the widget
            returns nothing.
        draw: draws the widget with this key for these values and returns its value. None draws no
            widget and takes the address's word, for a view that keeps its filters while they are
            out of sight.
    """
    if draw is None:
        return read(param, one_of(names, what), default)
    follow(param, key, one_of(names, what), default, valid=lambda value: value in names.values())
    drawn = draw(list(names.values()))
    value = default if drawn is None else drawn
    texts = (text for text, other in names.items() if other == value)
    publish(param, key, None if value == default else next(texts))
    return value


def put(changes: dict[str, str | None]) -> None:
    """Change several address parameters; None removes one.

    Used by clicks: the widgets follow at the next run of the page.
    """
    if any(text is not None for text in changes.values()):
        pinned = session().pinned.items()
        unnamed = {param: text for param, text in pinned if param not in st.query_params}
        changes = {**unnamed, **changes}
    before = st.query_params.to_dict()
    merged: dict[str, str | None] = {**before, **changes}
    after = {param: text for param, text in merged.items() if text is not None}
    # Written at once: every write is an entry in the browser's history, and an act is one entry.
    if after != before:
        st.query_params.from_dict(after)


def pin(param: str, text: str) -> None:
    """Name this default in every address that this run of the page makes."""
    session().pinned[param] = text


def link(changes: dict[str, str]) -> str:
    """The address (`?run=…`) of a view that differs from this one by `changes`."""
    return "?" + urlencode({**session().pinned, **st.query_params.to_dict(), **changes})


def without(*params: str) -> dict[str, str]:
    """What the address says, leaving out some parameters; equal results mean the same view."""
    return {param: text for param, text in st.query_params.to_dict().items() if param not in params}


def one_of(names: dict[str, T], what: str) -> Callable[[str], T]:
    """A parser for `read` and `follow` that accepts the keys of `names` and returns their values.

    It refuses everything else with a sentence that lists the keys.
    """

    def parse(text: str) -> T:
        if text not in names:
            raise ValueError(
                f"This link asks for {what} “{text[:40]}”; it must be one of {', '.join(names)}."
            )
        return names[text]

    return parse


def whole_number(lowest: int, highest: int, what: str) -> Callable[[str], int]:
    """A parser for `read` and `follow` that accepts whole numbers from `lowest` to `highest`."""

    def parse(text: str) -> int:
        if not (
            text.isascii() and text.isdigit() and len(text) < 10 and lowest <= int(text) <= highest
        ):
            raise ValueError(
                f"This link asks for {what} “{text[:40]}”; it must be a number from {lowest} to {highest}."
            )
        return int(text)

    return parse
