// A stopwatch inside the page: from an input event to the first painted frame in which a condition holds, and stays so.
// Looked at every 5 ms rather than at mutations: pictures finish loading and shadow roots change without any.

window.stopwatch = (() => {
  const TICK = 5, QUIET = 300;
  const app = () => document.querySelector('[data-testid="stApp"]');
  const atRest = () => app()?.dataset.testScriptState === "notRunning" && app().dataset.testConnectionState === "CONNECTED";
  const inShadow = (key, selector) => [...document.querySelectorAll(`.st-key-${key} *`)]
    .flatMap((element) => (element.shadowRoot ? [...element.shadowRoot.querySelectorAll(selector)] : []));
  const loaded = (images) => images.length > 0 && images.every((image) => image.complete && image.naturalWidth > 0);
  const gallery = (key) => inShadow(key, "img");

  const featureMaps = () => [...gallery("network_overview"), ...gallery("network_maps")];

  // The main content of each page, complete; without the real data a sentence stands where a run's pictures would.
  const excused = () => document.querySelector('[data-testid="stMain"] [data-testid="stAlert"]') !== null;
  const CONTENT = {
    Atelier: () => document.querySelectorAll(".atelier-grid img").length >= 25 && loaded([...document.querySelectorAll(".atelier-grid img")])
      && document.querySelector('[data-testid="stMetricValue"]') !== null,
    Classify: () => inShadow("classify_sheet", "canvas").length > 0 && document.querySelector(".classify-answer") !== null,
    Train: () => document.querySelector(".st-key-train_start button, .st-key-train_stop button, .st-key-train_new button") !== null,
    Misclassified: () => loaded(gallery("mistakes_gallery")) || excused(),
    "Confusion matrix": () => (document.querySelector(".st-key-matrix_chart .hm image")?.getAttribute("href") ?? "").length > 0
      && (loaded(gallery("matrix_gallery")) || excused()),
    Network: () => loaded(featureMaps()) || document.querySelector(".st-key-network_layers table") !== null,
  };
  const title = () => [...(document.querySelector("h1")?.querySelectorAll("*") ?? [])].map((element) => element.textContent)
    .concat(document.querySelector("h1")?.textContent ?? "");
  const named = (name) => title().some((text) => text.trim().endsWith(name));
  const pageIs = (name) => named(name) && CONTENT[name]() && document.querySelector('[data-testid="stSkeleton"]') === null;

  // What is watched for a change.
  const SEEN = {
    answer: () => document.querySelector(".classify-answer")?.outerHTML ?? "",
    mistakes: () => gallery("mistakes_gallery").map((image) => image.src.slice(-60)).join(),
    cells: () => gallery("matrix_gallery").map((image) => image.src.slice(-60)).join(),
    maps: () => featureMaps().map((image) => image.src.slice(-60)).join(),
    garments: () => [...document.querySelectorAll(".atelier-grid img")].map((image) => image.src.slice(-60)).join(),
  };
  const whole = (what) => (what === "mistakes" ? loaded(gallery("mistakes_gallery")) : what === "cells" ? loaded(gallery("matrix_gallery"))
    : what === "maps" ? loaded(featureMaps()) : true);

  // Resolves with the time (performance.now) of the first painted frame in which `holds` was true, if it stays true for QUIET
  // ms. `also` has to be true only at first: a page that follows a training is at rest and at work by turns.
  function steady(holds, limit, also = () => true) {
    return new Promise((resolve, reject) => {
      const begun = performance.now();
      let since = null;
      const look = () => {
        if (!holds()) since = null;
        else if (since === null && also()) {
          since = -1;
          requestAnimationFrame(() => setTimeout(() => { if (since === -1) since = performance.now(); }, 0));
        }
        if (since !== null && since > 0 && performance.now() - since >= QUIET) resolve(since);
        else if (performance.now() - begun > limit) reject(new Error(`not seen within ${limit} ms; state ${app()?.dataset.testScriptState}`));
        else setTimeout(look, TICK);
      };
      look();
    });
  }

  let result = null;

  // Wait for the next event of this type, take down what is seen then, and time until it has changed or the page is there.
  function arm({ type, changed = null, page = null, limit = 20000 }) {
    result = new Promise((resolve, reject) => {
      window.addEventListener(type, (event) => {
        const began = event.timeStamp, before = changed && SEEN[changed]();
        const there = page ? () => pageIs(page) : () => SEEN[changed]() !== before && whole(changed);
        Promise.all([steady(there, limit), steady(there, limit, atRest)])
          .then(([shown, rest]) => resolve({ shown: shown - began, rest: rest - began }), reject);
      }, { capture: true, once: true });
    });
    result.catch(() => {});  // it is handed to whoever asks
  }

  return {
    arm, result: () => result,
    arrived: (page, limit) => steady(() => pageIs(page), limit, atRest).then((at) => performance.timeOrigin + at),
    rest: (limit) => steady(atRest, limit),  // for QUIET ms
  };
})();
