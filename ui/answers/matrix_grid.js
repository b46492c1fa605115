// The confusion matrix as a grid of links; see matrix_grid.py for what `data` holds. Rows and columns are labels
// throughout; only `place` knows in which order they are drawn.

const grids = new WeakMap();
const REST = 500; // milliseconds after the last step of the slider: a drag is one change
const STEP = 800; // milliseconds of each epoch while playing

export default function ({ parentElement, data, setTriggerValue }) {
  let grid = grids.get(parentElement);
  if (!grid) grids.set(parentElement, (grid = open(parentElement)));
  const given = `${data.frame} ${data.frames.length} ${data.chosen}`;
  // Only a new choice of the page moves the matrix: a late answer must not take back what has been chosen since.
  if (grid.given !== given) {
    grid.chosen = data.chosen;
    if (!grid.playing && !grid.resting) grid.frame = data.frame;
  }
  grid.given = given;
  grid.data = data;
  grid.frame = Math.min(grid.frame, data.frames.length - 1);
  grid.pick = (row, column) => setTriggerValue("picked", { row, column, frame: grid.frame });
  grid.rest = () => setTriggerValue("rested", { frame: grid.frame });
  const order = `${data.key} ${data.order}`;
  if (grid.order !== order) build(grid, order);
  show(grid);
  return () => {
    clearInterval(grid.playing);
    clearTimeout(grid.resting);
    grid.root.remove();
    grids.delete(parentElement);
  };
}

function element(kind, name, inside) {
  const child = document.createElement(kind);
  if (name) child.className = name;
  inside.append(child);
  return child;
}

function open(parent) {
  const root = element("div", "matrix", parent);
  const grid = { root, data: null, frame: 0, chosen: null, given: null, order: null, playing: 0, resting: 0, links: [] };
  grid.player = element("div", "player", root);
  grid.button = element("button", "", grid.player);
  grid.button.type = "button";
  grid.button.onclick = () => (grid.playing ? pause(grid) : play(grid));
  grid.slider = element("input", "", grid.player);
  grid.slider.type = "range";
  grid.slider.min = 0;
  grid.slider.setAttribute("aria-label", "Epoch");
  grid.slider.oninput = () => {
    stop(grid);
    grid.frame = Number(grid.slider.value);
    show(grid);
    settle(grid, REST);
  };
  grid.epoch = element("span", "", grid.player);
  grid.table = element("div", "table", root);
  grid.table.setAttribute("role", "grid");
  grid.table.onkeydown = (event) => key(grid, event);
  grid.sentence = element("p", "sentence", root);
  const say = (event) => {
    const link = event.target.closest?.("a");
    tell(grid, link ? [Number(link.dataset.row), Number(link.dataset.column)] : grid.chosen);
  };
  grid.table.onpointerover = say;
  grid.table.onfocusin = say;
  grid.table.onpointerleave = () => tell(grid, grid.chosen);
  return grid;
}

function build(grid, order) {
  const { data } = grid;
  grid.order = order;
  grid.links = [];
  const held = grid.table.getRootNode().activeElement?.dataset;
  grid.table.replaceChildren();
  const axis = element("div", "row", grid.table);
  axis.setAttribute("role", "row");
  const corner = element("div", "corner", axis);
  corner.setAttribute("role", "columnheader");
  corner.innerHTML = "<span>Truth ↓</span><span>Prediction →</span>";
  for (const label of data.order) heading(axis, "columnheader", data, label);
  for (const row of data.order) {
    const line = element("div", "row", grid.table);
    line.setAttribute("role", "row");
    heading(line, "rowheader", data, row);
    for (const column of data.order) {
      const cell = element("div", "cell", line);
      cell.setAttribute("role", "gridcell");
      const link = element("a", row === column ? "right" : "", cell);
      link.dataset.row = row;
      link.dataset.column = column;
      link.append(element("span", "full", link), element("span", "short", link));
      link.onclick = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        choose(grid, link);
      };
      grid.links.push(link);
    }
  }
  if (held?.row) find(grid, Number(held.row), Number(held.column))?.focus();
}

function heading(inside, role, data, label) {
  const cell = element("div", role, inside);
  cell.setAttribute("role", role);
  cell.setAttribute("aria-label", data.names[label]);
  for (const [kind, names] of [["full", data.names], ["short", data.shorts]]) {
    const words = element("span", kind, cell);
    words.textContent = names[label];
    words.title = data.names[label];
  }
}

function find(grid, row, column) {
  return grid.links.find((link) => Number(link.dataset.row) === row && Number(link.dataset.column) === column);
}

// Everything that a new epoch, scale or choice changes, in the cells that are there.
function show(grid) {
  const { data } = grid;
  const frame = data.frames[grid.frame];
  grid.table.setAttribute("aria-label", data.label);
  const marked = grid.chosen ?? [data.order[0], data.order[0]];
  for (const link of grid.links) {
    const row = Number(link.dataset.row), column = Number(link.dataset.column);
    const chosen = Boolean(grid.chosen) && row === grid.chosen[0] && column === grid.chosen[1];
    link.firstChild.textContent = frame.texts[row][column];
    link.lastChild.dataset.text = frame.shorts[row][column]; // drawn by the style sheet: it is not the link's name
    link.style.background = frame.fills[row][column];
    link.style.color = frame.inks[row][column];
    link.href = data.href.replace("truth=TRUTH", `truth=${row}`).replace("prediction=PREDICTION", `prediction=${column}`);
    link.setAttribute("aria-label", sentence(grid, row, column));
    link.parentNode.setAttribute("aria-selected", String(chosen));
    link.classList.toggle("chosen", chosen);
    link.tabIndex = row === marked[0] && column === marked[1] ? 0 : -1;
  }
  if (grid.tab && grid.links.includes(grid.tab)) roam(grid, grid.tab);
  grid.player.hidden = data.frames.length < 2;
  grid.slider.max = data.frames.length - 1;
  grid.slider.value = grid.frame;
  grid.slider.setAttribute("aria-valuetext", frame.title);
  grid.epoch.textContent = frame.title;
  grid.button.textContent = grid.playing ? "⏸" : "▶";
  grid.button.setAttribute("aria-label", grid.playing ? "Pause" : "Play the epochs");
  tell(grid, grid.chosen);
}

function sentence(grid, row, column) {
  const { names, sentences } = grid.data;
  if (sentences) return sentences[row][column];
  const count = grid.data.frames[grid.frame].counts[row][column];
  return row === column ? `${names[row]} classified correctly: ${count}` : `${names[row]} mistaken for ${names[column]}: ${count}`;
}

// The sentence below the matrix: a cell's count and what share of its row and column that is.
function tell(grid, cell) {
  if (!cell) {
    grid.sentence.textContent = grid.data.sentences ? "" : "Point at a cell, or open it to see its pictures.";
    return;
  }
  const [row, column] = cell;
  let words = sentence(grid, row, column);
  if (!grid.data.sentences) {
    const { counts } = grid.data.frames[grid.frame];
    const count = counts[row][column];
    const truth = counts[row].reduce((a, b) => a + b, 0);
    const guesses = counts.reduce((sum, line) => sum + line[column], 0);
    const percent = (share) => `${(100 * share).toFixed(1)} %`;
    if (truth) words += ` · ${percent(count / truth)} of the true ${grid.data.names[row]}`;
    if (guesses) words += ` · ${percent(count / guesses)} of all ${grid.data.names[column]} predictions`;
  }
  grid.sentence.textContent = words;
}

function roam(grid, link) {
  grid.links.forEach((other) => (other.tabIndex = other === link ? 0 : -1));
  grid.tab = link;
}

function choose(grid, link) {
  stop(grid);
  clearTimeout(grid.resting);
  grid.resting = 0;
  const row = Number(link.dataset.row), column = Number(link.dataset.column);
  grid.chosen = [row, column];
  grid.tab = link;
  show(grid);
  grid.pick(row, column);
}

function key(grid, event) {
  const at = grid.links.indexOf(event.target.closest?.("a"));
  if (at < 0 || event.altKey || event.metaKey) return;
  const side = grid.data.order.length, row = Math.floor(at / side), column = at % side;
  const last = side - 1;
  const places = {
    ArrowLeft: [row, Math.max(column - 1, 0)], ArrowRight: [row, Math.min(column + 1, last)],
    ArrowUp: [Math.max(row - 1, 0), column], ArrowDown: [Math.min(row + 1, last), column],
    Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? last : row, last],
  };
  if (event.key === " ") choose(grid, grid.links[at]);
  else if (places[event.key]) {
    const link = grid.links[places[event.key][0] * side + places[event.key][1]];
    roam(grid, link);
    link.focus();
  } else return;
  event.preventDefault();
}

function play(grid) {
  const last = grid.data.frames.length - 1;
  clearTimeout(grid.resting);
  grid.resting = 0;
  if (grid.frame >= last) grid.frame = 0;
  grid.playing = setInterval(() => {
    grid.frame += 1;
    if (grid.frame >= grid.data.frames.length - 1) pause(grid);
    else show(grid);
  }, STEP);
  show(grid);
}

function stop(grid) {
  clearInterval(grid.playing);
  grid.playing = 0;
}

function pause(grid) {
  stop(grid);
  grid.frame = Math.min(grid.frame, grid.data.frames.length - 1);
  show(grid);
  settle(grid, 0);
}

// The page learns of an epoch once, where the matrix came to rest.
function settle(grid, wait) {
  clearTimeout(grid.resting);
  grid.resting = setTimeout(() => {
    grid.resting = 0;
    grid.rest();
  }, wait);
}
