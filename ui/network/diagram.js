// The network as links in boxes; see diagram.py for the markup. One of them is a tab stop, the arrow keys walk on.

export default function ({ parentElement, data, setTriggerValue }) {
  let root = parentElement.querySelector(".network");
  if (!root) {
    root = parentElement.appendChild(document.createElement("div"));
    root.className = "network";
    root.setAttribute("role", "group");
    root.onkeydown = (event) => walk(root, event);
  }
  root.onclick = (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    setTriggerValue("opened", { layer: link.dataset.layer });
  };
  root.setAttribute("aria-label", data.label);
  if (root.drawn === data.html) return;
  const held = root.getRootNode().activeElement?.dataset?.layer;
  root.drawn = data.html;
  root.innerHTML = data.html;
  const all = links(root);
  roam(all, all.find((link) => link.dataset.layer === held) ?? all[0]);
  if (held) all.find((link) => link.dataset.layer === held)?.focus();
}

const links = (root) => [...root.querySelectorAll("a")];

function roam(all, one) {
  for (const link of all) link.tabIndex = link === one ? 0 : -1;
}

function walk(root, event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const all = links(root), at = all.indexOf(event.target.closest("a"));
  const last = all.length - 1;
  const goal = {
    ArrowRight: Math.min(at + 1, last), ArrowDown: Math.min(at + 1, last),
    ArrowLeft: Math.max(at - 1, 0), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last,
  }[event.key];
  if (at < 0 || goal === undefined) return;
  event.preventDefault();
  roam(all, all[goal]);
  all[goal].focus();
  all[goal].scrollIntoView({ block: "nearest", inline: "nearest" });
}
