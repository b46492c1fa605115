// The buttons below the canvas, and what they do for it from outside; see canvas.py for why.

const ICONS = {
  undo: '<path d="M9 14 4 9l5-5"/><path d="M4 9h10a6 6 0 0 1 0 12h-2"/>',
  redo: '<path d="M15 14l5-5-5-5"/><path d="M20 9H10a6 6 0 0 0 0 12h2"/>',
  move: '<path d="M12 3v18M3 12h18"/><path d="M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3"/>',
  remove: '<path d="M6 6l12 12M18 6 6 18"/>',
  clear: '<path d="M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13"/>',
};
// Our button -> the label of the canvas's own button that does it.
const NATIVE = { undo: "Undo", redo: "Redo", move: "Edit", remove: "Delete selected" };
// Where the canvas has nothing left to undo or redo, the app may remember more.
const BEYOND = {
  undo: { possible: "undoable", event: "undone" },
  redo: { possible: "redoable", event: "redone" },
};
const SEND = "Update the app with this drawing";
const boards = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let board = boards.get(parentElement);
  if (!board) boards.set(parentElement, (board = open(parentElement)));
  board.data = data;
  board.tell = (what) => {
    const now = Date.now();
    setTriggerValue(what, now);
    return now;
  };
  board.find(60);
  lay(board);
  // The canvas undoes a polygon corner by corner; people mean all of it, so the same step is taken again.
  if (data.between && board.last) press(board, board.last);
  if (board.asked && board.asked === data.asked && !data.half) {
    board.asked = 0;
    setTimeout(() => native(board, NATIVE.move)?.click(), 50); // the canvas has its tool again by then
  }
  return () => {
    board.close();
    boards.delete(parentElement);
  };
}

function open(parent) {
  const board = { data: null, canvas: null, buttons: {}, drawing: false, finger: false, last: null, asked: 0 };
  const row = document.createElement("div");
  row.className = "row";
  const captions = { undo: "Undo", redo: "Redo", move: "Move", remove: "Delete", clear: "Clear" };
  for (const [name, caption] of Object.entries(captions)) {
    const button = document.createElement("button");
    button.type = "button";
    button.innerHTML = `<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"
      stroke-linejoin="round" aria-hidden="true">${ICONS[name]}</svg><span>${caption}</span>`;
    button.onclick = () => press(board, name);
    board.buttons[name] = button;
    row.append(button);
  }
  parent.append(row);

  const listen = (type, listener, options) => {
    window.addEventListener(type, listener, options);
    return () => window.removeEventListener(type, listener, options);
  };
  const start = (event) => {
    board.drawing = isOnCanvas(board, event);
    if (board.drawing) board.last = null;
  };
  // Fabric listens on the document, so by the time an event is at the window the stroke is finished; Fabric's own
  // bookkeeping follows in a microtask, which a timeout lets pass.
  const end = () => {
    if (board.drawing) setTimeout(() => send(board), 0);
    board.drawing = false;
  };
  const stops = [
    listen("mousedown", start, true), listen("mouseup", end),
    listen("touchstart", (event) => asMouse(board, event, "mousedown") || start(event), { capture: true, passive: false }),
    listen("touchmove", (event) => asMouse(board, event, "mousemove"), { capture: true, passive: false }),
    listen("touchend", (event) => asMouse(board, event, "mouseup"), { capture: true, passive: false }),
    listen("touchend", end),
    listen("keydown", (event) => byKey(board, event)),
  ];
  board.observer = new MutationObserver(() => mirror(board));
  board.find = (tries) => {
    const root = [...document.querySelectorAll(".st-key-classify_sheet *")]
      .map((element) => element.shadowRoot).findLast((inside) => inside?.querySelector(".dc-toolbar"));
    if (root && root !== board.canvas) {
      adopt(board, root);
      // Corners that were set on a page before this one.
      if (board.data.half) board.tell("kept");
    }
    // The canvas of the sheet before may still be on the page, and be replaced by the new one in a moment.
    if (tries > 0) setTimeout(() => board.find(tries - 1), 50);
    if (root) mirror(board);
    lay(board);
  };
  board.close = () => {
    stops.forEach((stop) => stop());
    board.observer.disconnect();
    row.remove();
  };
  return board;
}

function adopt(board, root) {
  board.canvas = root;
  if (Object.values(NATIVE).every((label) => native(board, label)) && native(board, SEND)) {
    const style = document.createElement("style");
    style.textContent = ".dc-toolbar { display: none !important; } .dc-canvas { border-radius: 6px; }";
    root.append(style);
  }
  board.observer.disconnect();
  board.observer.observe(root.querySelector(".dc-toolbar"), { subtree: true, attributes: true });
}

// What lies over the canvas: an outline to trace, and marks where the drawn one is open. No pointer meets it.
function lay(board) {
  const frame = board.canvas?.querySelector(".canvas-container");
  if (!frame) return;
  for (const name of ["outline", "gaps"]) {
    let image = frame.querySelector(`img.${name}`);
    const source = board.data[name];
    if (!source) image?.remove();
    else {
      if (!image) {
        image = document.createElement("img");
        image.className = name;
        image.alt = "";
        image.style.cssText = "position: absolute; inset: 0; width: 100%; height: 100%; pointer-events: none; z-index: 100;";
        frame.append(image);
      }
      if (image.src !== source) image.src = source;
    }
  }
}

// Ctrl+Z, Ctrl+Shift+Z and Ctrl+Y, but not while somebody types.
function byKey(board, event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const target = event.composedPath()[0];
  if (target instanceof Element && target.closest("input:not([type=range]), textarea, [contenteditable]")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  press(board, key === "y" || event.shiftKey ? "redo" : "undo");
}

function native(board, label) {
  return board.canvas?.querySelector(`.dc-toolbar button[aria-label="${label}"]`);
}

// Our buttons are as enabled and pressed as the canvas's own.
function mirror(board) {
  for (const [name, label] of Object.entries(NATIVE)) {
    const theirs = native(board, label);
    board.buttons[name].disabled = (!theirs || theirs.disabled) && !board.data?.[BEYOND[name]?.possible];
  }
  const moving = isMoving(board);
  board.buttons.move.setAttribute("aria-pressed", String(moving));
  board.buttons.remove.hidden = !moving;
}

function isMoving(board) {
  return native(board, NATIVE.move)?.getAttribute("aria-pressed") === "true";
}

function press(board, name) {
  if (name === "clear") {
    board.tell("cleared");
    return;
  }
  if (name === "move" && board.data.tool === "polygon" && !isMoving(board)) {
    board.asked = board.tell("kept");
    return;
  }
  const theirs = native(board, NATIVE[name]), beyond = BEYOND[name];
  if (!theirs || theirs.disabled) {
    if (beyond && board.data[beyond.possible]) board.tell(beyond.event);
    return;
  }
  if (beyond) board.last = name;
  theirs.click();
  // With the polygon tool the canvas sends closed polygons only, so an undo would not reach the page.
  if (name !== "move" && board.data.tool === "polygon") setTimeout(() => send(board), 50);
}

function send(board) {
  native(board, SEND)?.click();
}

function isOnCanvas(board, event) {
  const target = event.composedPath()[0];
  return Boolean(board.canvas) && target instanceof Element && target.getRootNode() === board.canvas
    && target.classList.contains("upper-canvas");
}

// The canvas's shapes need a mouse button, which a finger does not have: they are drawn with mouse events made from the
// touches. Freehand lines and moving accept fingers as they are.
function asMouse(board, event, type) {
  if (type === "mousedown") {
    board.finger = isOnCanvas(board, event) && board.data.tool !== "freedraw" && !isMoving(board)
      && event.touches.length === 1;
  }
  if (!board.finger) return false;
  event.preventDefault();
  event.stopImmediatePropagation();
  const touch = event.changedTouches[0];
  const point = { clientX: touch.clientX, clientY: touch.clientY, button: 0, buttons: type === "mouseup" ? 0 : 1 };
  board.canvas.querySelector(".upper-canvas").dispatchEvent(
    new MouseEvent(type, { ...point, bubbles: true, composed: true, cancelable: true, view: window }));
  if (type === "mouseup") board.finger = false;
  return true;
}
