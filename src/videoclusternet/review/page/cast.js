// The cast: faces and names, to open, to select, to drop on.

import { merge, move } from "./decide.js";
import { fill, h, icon, percent, picture, several, span } from "./dom.js";
import { Grid } from "./grid.js";
import { knownAs, listen, model, openCharacter, shown, tell } from "./model.js";

const KIND = "application/x-vcn";
let dragged = null; // { tracks } or { people }

export function drag(event, what, words) {
  dragged = what;
  event.dataTransfer.setData(KIND, "");
  event.dataTransfer.setData("text/plain", words);
  event.dataTransfer.effectAllowed = "move";
  document.body.classList.add("dragging");
  document.body.classList.toggle("with-tracks", Boolean(what.tracks));
}

function released() {
  dragged = null;
  document.body.classList.remove("dragging", "with-tracks");
  for (const over of document.querySelectorAll(".over")) over.classList.remove("over");
}

export function castList() {
  const find = document.getElementById("find");
  const list = new Grid(document.getElementById("cast"), {
    label: "Cast", width: 0, height: 64, gap: 2, pad: 6, make, show,
    onactive: (person) => { openCharacter(person.number); document.getElementById("main").dataset.tab = "tracks"; },
    onmove: (person) => openCharacter(person.number),
    onenter: () => document.getElementById("tracks").focus(),
    ontoggle: (person) => {
      model.picked.has(person.number) ? model.picked.delete(person.number) : model.picked.add(person.number);
      if (!model.picked.size) model.picked.add(model.open);
      tell("picked");
    },
    onrange: (people) => {
      for (const person of people) model.picked.add(person.number);
      tell("picked");
    },
  });
  const again = () => {
    const people = shown(find.value);
    list.active = people.findIndex((person) => person.number === model.open);
    list.set(people);
  };
  find.addEventListener("input", again);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && list.items.length) openCharacter(list.items[0].number);
    if (event.key === "Escape") { find.value = ""; again(); list.root.focus(); }
  });
  listen((changed) => {
    if (changed.has("state")) again();
    if (changed.has("open")) {
      const at = list.items.findIndex((person) => person.number === model.open);
      if (at >= 0) list.go(at);
    }
    if (changed.has("open") || changed.has("picked")) list.refresh();
  });
  dropsOn(list);
  return list;
}

function make() {
  return h("div", { class: "person-row", draggable: "true", ondragend: released });
}

function show(row, person) {
  const { number, label } = person;
  const unknown = number === 0;
  const open = number === model.open;
  row.className = `cell person-row${unknown ? " unknown" : ""}${person.hidden ? " is-hidden" : ""}${open ? " open" : ""}`;
  row.draggable = !unknown;
  row.dataset.number = String(number);
  row.ondragstart = (event) => drag(event, { people: withPicked(number) }, label);
  row.setAttribute("aria-selected", String(model.picked.has(number)));
  const tracks = several(person.tracks.length, "track");
  const sure = unknown ? "" : `, ${percent(person.sure)} sure`;
  const marks = [knownAs(person), person.locked && "locked", person.hidden && "hidden", person.note && "with a note"].filter(Boolean);
  row.setAttribute("aria-label", [`${label}, ${span(person.seconds)}, ${tracks}${sure}`, ...marks].join(", "));
  fill(
    row,
    h("span", { class: "face" }, picture(person.cover)),
    h("span", { class: "text" },
      h("span", { class: "label" },
        h("b", {}, label), person.locked ? icon("lock") : null,
        person.hidden ? icon("hidden") : null, person.note ? icon("note") : null,
        unknown ? null : meter(person)),
      h("span", { class: "soft small" }, `${span(person.seconds)} · ${knownAs(person) || tracks}`)),
    h("span", { class: "tick", "aria-hidden": "true" }, icon("check")),
  );
}

/** Characters that are dragged: one, or all that are selected with it. */
function withPicked(number) {
  return model.picked.has(number) ? [...model.picked].filter((one) => one > 0) : [number];
}

function meter(person) {
  const wrong = Math.round(person.wrong);
  const words = wrong ? `≈ ${wrong} wrong` : percent(person.sure);
  return h("span", { class: `meter ${person.sure >= 0.9 ? "sure" : "fair"}`, title: `${percent(person.sure)} sure` }, words);
}

/** Characters take tracks and characters that are dropped on them; a field below makes new ones. */
function dropsOn(list) {
  const fresh = document.getElementById("new");
  const target = (event) => event.target.closest?.(".person-row, #new");
  const fits = (place) => {
    if (!dragged || !place) return false;
    const number = place === fresh ? "new" : Number(place.dataset.number);
    if (dragged.tracks) return number !== model.open;
    return typeof number === "number" && number > 0 && !dragged.people.includes(number);
  };
  for (const area of [list.root, fresh]) {
    area.addEventListener("dragover", (event) => {
      const place = target(event);
      for (const over of document.querySelectorAll(".over")) if (over !== place) over.classList.remove("over");
      if (!fits(place)) return;
      event.preventDefault();
      place.classList.add("over");
    });
    area.addEventListener("drop", (event) => {
      const place = target(event);
      if (!fits(place)) return;
      event.preventDefault();
      const what = dragged;
      released();
      if (what.tracks) move(what.tracks, place === fresh ? "new" : Number(place.dataset.number) || "unknown");
      else merge([Number(place.dataset.number), ...what.people]);
    });
  }
  document.addEventListener("dragend", released);
}

