"""Pictures on a page: crisp, aligned, described in words, and clickable where that leads somewhere.

Pictures travel as tiny PNGs inside the page (about 600 bytes each), and the browser enlarges them
with hard edges. A page of fifty is one message of 50 KB and is drawn at once.

These functions are for the 28 x 28 pixels that networks see; photographs and canvases have their
own ways to the page and share only `data_uri`.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Item:
    """One clickable picture of a gallery.

    Attributes:
        index: what `on_pick` is called with.
        pixels: uint8 `(28, 28)`.
        caption: one short line below it.
        href: the address that a click leads to, for "open in a new tab", as `state.link` makes it.
        alt: what a screen reader says; the caption where it is empty.
    """

    index: int
    pixels: NDArray[np.uint8]
    caption: str
    href: str = ""
    alt: str = ""


def png(pixels: NDArray[np.uint8], scale: int = 1) -> bytes:
    """Encode uint8 `(h, w)`, `(h, w, 3)` or `(h, w, 4)` as PNG, each pixel drawn as `scale` x
    `scale`.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    return _encode(image, "PNG", compress_level=6)


def data_uri(picture: NDArray[np.uint8] | Image.Image) -> str:
    """A picture as a `data:` address that an `img` element can show.

    Args:
        picture: pixels as `png` takes them, kept exactly; or a photograph as an image, which
            becomes WebP of some 10 to 50 KB.
    """
    if isinstance(picture, Image.Image):
        kind, data = "webp", _encode(picture, "WEBP", quality=80, method=0)
    else:
        kind, data = "png", png(picture)
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _encode(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def overlay(pixels: NDArray[np.uint8], heat: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Put a heat map over a picture.

    Args:
        pixels: uint8 `(28, 28)`.
        heat: float `(28, 28)`; only values above 0 are shown, the largest in full colour.

    Returns:
        uint8 `(28, 28, 3)`: the picture in grey, warm where `heat` is large.
    """
    strength = np.clip(heat, 0.0, None)
    strength = strength / strength.max() if strength.max() > 0 else strength
    grey = np.repeat(pixels[..., None].astype(np.float32), 3, axis=2) * 0.75
    warm = np.stack(
        [np.full_like(strength, 255.0), 190.0 - 120.0 * strength, 40.0 - 20.0 * strength], axis=2
    )
    weight = 0.85 * strength[..., None]
    mixed: NDArray[np.uint8] = (grey * (1 - weight) + warm * weight).round().astype(np.uint8)
    return mixed


def show(pixels: NDArray[np.uint8], *, alt: str, caption: str = "", width: int = 224) -> None:
    """Draw one picture, `width` CSS pixels wide at most, with hard pixel edges."""
    st.html(_figure(pixels, alt, caption, f"width:min({width}px,100%)"))


def grid(
    pixels: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    captions: Sequence[str],
    alts: Sequence[str] | None = None,
    *,
    cell: int = 96,
    columns: int | None = None,
) -> None:
    """Draw many pictures in aligned columns, without clicks.

    Args:
        pixels: uint8 `(28, 28)` each.
        captions: one short line below each.
        alts: what a screen reader says; the captions where it is None.
        cell: smallest width of a column in CSS pixels.
        columns: how many columns; None for as many as fit.
    """
    figures = "".join(
        _figure(picture, alt, caption, "")
        for picture, caption, alt in zip(pixels, captions, alts or captions, strict=True)
    )
    tracks = f"repeat({columns},1fr)" if columns else f"repeat(auto-fill,minmax({cell}px,1fr))"
    st.html(f'<div class="atelier-grid" style="grid-template-columns:{tracks}">{figures}</div>')


def gallery(
    items: Sequence[Item],
    key: str,
    on_pick: Callable[[int], None],
    *,
    cell: int = 96,
    columns: int | None = None,
) -> None:
    """Draw many pictures as links.

    Mouse, touch, or Tab and Enter open one; the middle button opens it in a new tab.

    Args:
        items: what to draw, in order.
        key: the widget's key, carrying its page.
        on_pick: called with the `index` of the opened item before the page runs again.
        cell: smallest width of a column in CSS pixels.
        columns: how many columns; None for as many as fit.
    """

    def picked() -> None:
        index = st.session_state[key].picked
        if index is not None:
            on_pick(int(index))

    _GALLERY(
        key=key,
        on_picked_change=picked,
        data={
            "key": key,
            "tracks": f"repeat({columns}, 1fr)"
            if columns
            else f"repeat(auto-fill, minmax({cell}px, 1fr))",
            "items": [
                {
                    "index": int(item.index),
                    "src": data_uri(item.pixels),
                    "caption": item.caption,
                    "alt": item.alt or item.caption,
                    "href": item.href or "#",
                }
                for item in items
            ],
        },
    )


def _figure(pixels: NDArray[np.uint8], alt: str, caption: str, style: str) -> str:
    text = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="atelier-picture" style="{style}">'
        f'<img src="{data_uri(pixels)}" alt="{html.escape(alt, quote=True)}">{text}</figure>'
    )


_GALLERY = st.components.v2.component(
    "atelier_gallery",
    css="""
.grid { display: grid; gap: 0.75rem; }
a { display: block; color: var(--st-text-color); text-decoration: none; border-radius: 6px; padding: 4px;
  font-family: var(--st-font); }
a:hover { background: var(--st-secondary-background-color); }
a:focus-visible { outline: 2px solid var(--st-primary-color); }
img { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated; background: #000; border-radius: 4px; }
span { display: block; font-size: 0.8rem; line-height: 1.3; margin-top: 0.3rem; opacity: 0.85; }
""",
    js="""
export default function ({ parentElement, data, setTriggerValue }) {
  let grid = parentElement.querySelector(".grid");
  if (!grid) {
    grid = document.createElement("div");
    grid.className = "grid";
    parentElement.appendChild(grid);
  }
  grid.style.gridTemplateColumns = data.tracks;
  const opened = kept().opened[data.key];
  const links = data.items.map((item) => {
    const link = document.createElement("a");
    link.href = item.href;
    link.dataset.index = item.index;
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      kept().opened[data.key] = item.index;
      setTriggerValue("picked", item.index);
    };
    const image = document.createElement("img");
    image.src = item.src;
    image.alt = item.alt;
    const caption = document.createElement("span");
    caption.textContent = item.caption;
    link.append(image, caption);
    return link;
  });
  const current = links.find((link) => Number(link.dataset.index) === opened) ?? links[0];
  const chosen = () => links.indexOf(grid.getRootNode().activeElement);
  const go = (number) => {
    const link = links[Math.min(Math.max(number, 0), links.length - 1)];
    links.forEach((other) => { other.tabIndex = other === link ? 0 : -1; });
    link.focus();
  };
  links.forEach((link) => { link.tabIndex = link === current ? 0 : -1; });
  // One stop of the Tab key for all pictures; arrow keys go from one to the next.
  grid.onkeydown = (event) => {
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length, at = chosen();
    const target = {
      ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + columns, ArrowUp: at - columns,
      Home: 0, End: links.length - 1,
    }[event.key];
    if (target === undefined || at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (target >= 0 && target < links.length) go(target);
  };
  const before = grid.getRootNode().activeElement?.dataset?.index;
  grid.replaceChildren(...links);
  const focused = links.findIndex((link) => link.dataset.index === before);
  if (before !== undefined && focused >= 0) go(focused);
  // Back from a picture: the keys continue where they were.
  else if (opened !== undefined && current && Number(current.dataset.index) === opened && document.activeElement === document.body) {
    current.focus({ preventScroll: true });
  }
}
// What was opened last, by gallery, in this tab.
function kept() {
  return (window.atelierGallery ??= { opened: {} });
}
""",
)
