// Words and buttons around the pictures: the character, the selected tracks, the track, the log.

import * as dialogs from "./dialogs.js";
import * as decide from "./decide.js";
import { button, fill, h, icon, percent, picture, several, span, timecode } from "./dom.js";
import { called, knownAs, listed, listen, model, openCharacter, tell } from "./model.js";
import { name, why as unknownWhy } from "./tracks.js";
import { why } from "./why.js";

export function personPanel() {
  const root = document.getElementById("person");
  const draw = () => {
    const person = model.people.get(model.open);
    if (!person) return fill(root);
    const others = [...model.picked].filter((number) => number > 0);
    fill(root,
      h("span", { class: "face" }, picture(person.cover)),
      h("div", { class: "about" },
        h("h2", { id: "who" }, person.label, person.locked ? icon("lock") : null, person.hidden ? icon("hidden") : null),
        h("p", { class: "soft" }, facts(person)),
        person.note ? h("p", { class: "note" }, icon("note"), person.note) : null),
      person.number ? actions(person, others) : null,
      h("div", { class: "order", role: "group", "aria-label": "Order" },
        orderButton("Film order", "film"), orderButton("Most doubtful first", "doubt")));
  };
  listen((changed) => {
    if (["state", "open", "picked", "order"].some((what) => changed.has(what))) draw();
  });
}

function facts(person) {
  const said = [`${span(person.seconds)} on screen`, several(person.tracks.length, "track")];
  if (model.run.films[0].width) said.push(several(person.shots, "shot"));
  if (person.number) {
    said.push(`${percent(person.sure)}\u00a0sure`);
    const wrong = Math.round(person.wrong);
    if (person.known) said.push(`named by the library: ${knownAs(person)}`);
    if (wrong) said.push(`about ${several(wrong, "track")} wrong`);
  }
  return said.join(" · ");
}

function orderButton(text, order) {
  const set = () => { model.order = order; tell("order"); };
  return button(text, "", set, { "aria-pressed": String(model.order === order) });
}

function actions(person, others) {
  const { number, locked, hidden } = person;
  const many = others.length > 1;
  return h("div", { class: "actions", role: "toolbar", "aria-label": "This character" },
    many
      ? button(`Merge ${others.length}`, "M", () => decide.merge(mergeOrder()), { class: "strong" })
      : button("Rename", "R", () => dialogs.rename(number)),
    many ? button("Different people", "D", () => decide.apart(others))
      : button("Merge…", "M", () => dialogs.mergeWith(number)),
    button("Split…", "S", () => dialogs.splitUp(number)),
    button(locked ? "Unlock" : "Lock", "L", () => decide.toggle([...model.picked], "lock")),
    button(hidden ? "Show" : "Hide", "H", () => decide.toggle([...model.picked], "hide")),
    button("Note…", "T", () => dialogs.note(number)));
}

/** The character that is open comes first: it keeps its number. */
export function mergeOrder() {
  return [model.open, ...[...model.picked].filter((number) => number !== model.open)];
}

/** Tracks that a verb is about: those that are selected, else the one that is looked at. */
export function meant() {
  if (model.chosen.size) return [...model.chosen].sort((a, b) => a - b);
  const here = model.track >= 0 && model.state.character[model.track] === model.open;
  return here ? [model.track] : [];
}

export function chosenBar() {
  const root = document.getElementById("chosen");
  listen((changed) => {
    if (!changed.has("chosen") && !changed.has("state") && !changed.has("open")) return;
    const tracks = meant();
    root.hidden = model.chosen.size === 0;
    if (root.hidden) return fill(root);
    const known = model.open > 0;
    const all = listed().length;
    fill(root,
      h("b", {}, `${model.chosen.size} of ${all} selected`),
      button("Move…", "V", () => dialogs.moveTo(tracks), { class: "strong" }),
      button("New", "N", () => decide.move(tracks, "new"), { title: "Make them a new character" }),
      known ? button("Unknown", "U", () => decide.move(tracks, "unknown"), { title: "Set them aside" }) : null,
      known ? button("Not this person", "X", () => decide.notThis(model.open, tracks)) : null,
      button("Not a face", "F", () => decide.notAFace(tracks)),
      known ? button("Right here", "C", () => decide.confirm(tracks), { title: "Confirm that they belong here" }) : null,
      known && tracks.length === 1 ? button("Cover", "P", () => decide.cover(model.open, tracks[0])) : null,
      tracks.length < 3 ? button("Why", "W", () => why(tracks), { title: "Why they are one person, or two" }) : null,
      button("All", "A", () => decide.choose(listed()), { title: "Select all tracks" }),
      h("button", { type: "button", class: "round", "aria-label": "Select nothing", onclick: () => decide.choose([]) }, icon("close")));
  });
}

export function trackPanel() {
  const root = document.getElementById("track");
  listen((changed) => {
    if (!changed.has("track") && !changed.has("state")) return;
    const { track } = model;
    root.hidden = track < 0;
    if (track < 0) return;
    const { start, stop, shot, film, crop, crops } = model.run.tracks;
    const who = model.state.character[track];
    const where = model.run.films.length > 1 ? `${model.run.films[film[track]].name}, ` : "";
    const scene = model.run.films[film[track]].width ? `shot ${shot[track]}, ` : "";
    const rows = Array.from({ length: Math.min(crops[track], 16) }, (_, i) => crop[track] + i);
    fill(root,
      h("h3", {}, `Track ${name(track)}`),
      h("p", { class: "soft small" }, `${where}${scene}${timecode(start[track])} for ${span(stop[track] - start[track])}`),
      h("p", {}, h("button", { type: "button", class: "link", onclick: () => openCharacter(who, [track]) }, called(who)),
        h("span", { class: "soft" }, who ? ` · ${model.state.hand[track] ? "placed by hand" : `${percent(model.state.confidence[track])} sure`}` : ` · ${unknownWhy(track)}`)),
      h("div", { class: "strip" }, rows.map((row) => picture(row))));
  });
}

export function logPanel() {
  const root = document.getElementById("log");
  listen((changed) => {
    if (!changed.has("state")) return;
    const { log, unplaced, decided } = model.state;
    root.hidden = !log.length && !unplaced.length;
    fill(root,
      h("h3", {}, "Decided", h("span", { class: "soft" }, ` ${decided}`)),
      h("ol", { class: "lines" }, log.slice(0, 12).map((line) => h("li", {},
        h("span", {}, line.words),
        h("span", { class: "soft small" }, [line.author, line.time.replace("T", " ").slice(0, 16)].filter(Boolean).join(", "))))),
      unplaced.map(([edit, reason]) => h("p", { class: "bad small" }, `Edit ${edit} finds no place: ${reason}`)));
  });
}
