"""Where a page is scrolled to: new content begins at its top, and Back returns to where one was.

Streamlit keeps the window where it is when a click puts other content there, and an entry of the
browser's history knows nothing of the page's own scrolling. A slider that is moved step by step
would leave an entry for every step.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

# Parameters of the address whose change is new content rather than a change of what is in sight.
CONTENT = ("picture", "page", "run", "view", "new")
SLIDERS = ("epoch", "step")

_JS = """
const main = () => document.querySelector('[data-testid="stMain"]');
const PATIENCE = 8000; // milliseconds until what was scrolled to has to be there
export default function ({ data }) {
  const known = window.atelierHistory;
  if (known) {
    known.content = data.content;
    return;
  }
  const kept = (window.atelierHistory = { places: {}, restoring: 0, slid: "", content: data.content });
  const push = history.pushState.bind(history);
  history.pushState = (state, title, address) => {
    const before = new URL(location.href), after = new URL(address, location.href);
    const changed = [...new Set([...before.searchParams.keys(), ...after.searchParams.keys()])]
      .filter((name) => before.searchParams.get(name) !== after.searchParams.get(name));
    const slid = before.pathname === after.pathname && changed.length && changed.every((name) => data.sliders.includes(name));
    // The first step of a slider is an entry, the steps after it change that entry.
    if (slid && kept.slid === changed.join()) history.replaceState(state, title, address);
    else push(state, title, address);
    kept.slid = slid ? changed.join() : "";
    if (before.pathname !== after.pathname) scrollTo(0);
    else if (closes(before, after)) restore();
    else if (changed.some((name) => kept.content.includes(name))) scrollTo(0);
  };
  window.addEventListener("popstate", restore);
  // The container that scrolls is another one after a change of page, and scrolling does not bubble.
  document.addEventListener("scroll", (event) => {
    if (event.target === main() && performance.now() > kept.restoring) kept.places[location.href] = main().scrollTop;
  }, { capture: true, passive: true });
  for (const type of ["wheel", "touchstart", "keydown", "pointerdown"]) {
    window.addEventListener(type, () => { kept.restoring = 0; }, { capture: true, passive: true });
  }
  function closes(before, after) {
    return before.searchParams.has("picture") && !after.searchParams.has("picture");
  }
  function scrollTo(top) {
    kept.restoring = 0;
    main()?.scrollTo({ top, behavior: "instant" });
  }
  function restore() {
    const address = location.href, top = kept.places[address] ?? 0;
    const until = (kept.restoring = performance.now() + PATIENCE);
    let reached = 0;
    (function again() {
      if (kept.restoring !== until || location.href !== address || performance.now() > until) return;
      main()?.scrollTo({ top, behavior: "instant" });
      // Elements above may still come and push it away again.
      reached = Math.abs((main()?.scrollTop ?? -1) - top) < 2 ? reached + 1 : 0;
      if (reached > 60) kept.restoring = 0;
      else requestAnimationFrame(again);
    })();
  }
}
"""
_history = st.components.v2.component("atelier_history", js=_JS)


def keep(steady: Sequence[str] = ()) -> None:
    """Keep places on this page; `frame.begin` does that.

    Args:
        steady: parameters of the address whose change is no new content here.
    """
    content = [name for name in CONTENT if name not in steady]
    _history(key="frame_history", height=1, data={"content": content, "sliders": SLIDERS})
