// The page begins here.

import { get } from "./api.js";
import { castList } from "./cast.js";
import { failed, redo, undo, watch } from "./decide.js";
import { fill, h, icon, several, span } from "./dom.js";
import { filmLanes } from "./lanes.js";
import { help, listenToKeys } from "./keys.js";
import { begin, listed, listen, lookAt, model } from "./model.js";
import { chosenBar, logPanel, personPanel, trackPanel } from "./panels.js";
import { filmPlayer } from "./player.js";
import { ask, queueButton } from "./queue.js";
import { regroup } from "./regroup.js";
import { trackGrid } from "./tracks.js";

function tools() {
  const does = {
    undo: ["Undo", "Z", undo, "undo"], redo: ["Redo", "⇧Z", redo, "redo"], ask: ["Questions", "Q", ask, "ask"],
    regroup: ["Cluster again", "G", regroup, "again"], help: ["Keys", "?", help, "keys"],
  };
  for (const [id, [text, key, act, shape]] of Object.entries(does)) {
    const place = document.getElementById(id);
    fill(place, icon(shape), h("span", { class: "word" }, text), h("kbd", { "aria-hidden": "true" }, key));
    place.addEventListener("click", act);
  }
  listen((changed) => {
    if (!changed.has("state")) return;
    for (const id of ["undo", "redo"]) {
      const place = document.getElementById(id);
      place.disabled = !model.state[id];
      place.title = model.state[id];
    }
  });
}

function titles() {
  const { run } = model;
  const films = run.films.map((film) => film.name);
  document.title = `Review of ${films.join(", ")}`;
  document.getElementById("title").textContent = films.length > 2 ? `${films[0]} and ${films.length - 1} more` : films.join(", ");
  listen((changed) => {
    if (!changed.has("state")) return;
    const people = [...model.people.values()];
    const known = people.filter((person) => person.number && !person.hidden).length;
    const unknown = model.people.get(0)?.tracks.length ?? 0;
    const long = run.films.reduce((sum, film) => sum + film.seconds, 0);
    document.getElementById("summary").textContent =
      [span(long), several(known, "character"), `${several(run.tracks.film.length, "track")}`, unknown ? `${unknown} Unknown` : ""].filter(Boolean).join(" · ");
  });
}

/** On a phone one part is shown at a time. */
function tabs() {
  const main = document.getElementById("main");
  const all = [...document.querySelectorAll(".tabs button")];
  const mark = () => {
    for (const tab of all) tab.setAttribute("aria-pressed", String(tab.dataset.tab === main.dataset.tab));
  };
  for (const tab of all) tab.addEventListener("click", () => { main.dataset.tab = tab.dataset.tab; });
  new MutationObserver(mark).observe(main, { attributes: true, attributeFilter: ["data-tab"] });
}

async function start() {
  const [run, state] = await Promise.all([get("run"), get("state")]);
  model.run = run;
  tools();
  titles();
  tabs();
  const cast = castList();
  personPanel();
  trackGrid();
  chosenBar();
  trackPanel();
  logPanel();
  filmLanes(filmPlayer());
  listenToKeys();
  queueButton();
  begin(run, state);
  lookAt(listed()[0] ?? -1);
  watch();
  cast.root.focus({ preventScroll: true });
  document.body.dataset.ready = "";
  performance.mark("usable");
}

start().catch(failed);
