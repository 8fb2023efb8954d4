// Windows on the page: names, merging and moving by name, splitting, notes, keys.

import { get } from "./api.js";
import * as decide from "./decide.js";
import { button, fill, h, picture, several, timecode } from "./dom.js";
import { called, model, shown } from "./model.js";
import { raise } from "./toasts.js";

const MOST = 60; // pictures of a side that are shown at once

/** Open a window; returns it. It closes with Esc, and takes itself away. */
export function dialog(title, kind, ...children) {
  const before = document.activeElement;
  const box = h("dialog", { class: `window ${kind}`, "aria-label": title },
    h("header", {}, h("h2", {}, title),
      h("button", { type: "button", class: "round", "aria-label": "Close", onclick: () => box.close() }, "×")),
    h("div", { class: "body" }, children));
  box.addEventListener("close", () => {
    raise();
    box.remove();
    if (before?.isConnected) before.focus();
    else document.getElementById("tracks").focus();
  });
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  document.body.append(box);
  box.showModal();
  raise();
  return box;
}

let pickers = 0;

/**
 * Ask for a name, with the characters that are known below it.
 * take({number, text}) is called with a character, or with text that names none.
 */
function pick(title, { value = "", hint, people, free, extra = [], take }) {
  const id = `names${(pickers += 1)}`;
  const field = h("input", {
    type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": id, "aria-autocomplete": "list",
    "aria-label": title, autocomplete: "off", spellcheck: "false", maxlength: "2000",
  });
  field.value = value;
  const list = h("ul", { id, role: "listbox", class: "names", "aria-label": "Known characters" });
  const said = h("p", { class: "soft small hint" });
  const box = dialog(title, "pick", field, list, said);
  let rows = [], at = -1;
  const done = (row) => { box.close(); take(row); };
  const draw = () => {
    const wanted = field.value.trim().toLocaleLowerCase();
    const fits = (text) => !wanted || field.value === value || text.toLocaleLowerCase().includes(wanted);
    rows = [
      ...people().filter((one) => fits(one.label)).map((one) => ({ number: one.number, text: one.label, face: one.cover })),
      ...extra.filter((one) => fits(one.text)),
    ].slice(0, 50);
    at = free && !rows.some((row) => row.text.toLocaleLowerCase() === wanted) ? -1 : rows.length ? 0 : -1;
    fill(list, rows.map((row, i) => h("li", { role: "option", id: `${id}-${i}`, onclick: () => done(row) },
      h("span", { class: "face" }, picture(row.face ?? -1)), h("span", {}, row.text))));
    list.hidden = rows.length === 0;
    mark();
  };
  const mark = () => {
    [...list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === at)));
    if (at >= 0) { field.setAttribute("aria-activedescendant", `${id}-${at}`); list.children[at].scrollIntoView({ block: "nearest" }); }
    else field.removeAttribute("aria-activedescendant");
    said.textContent = hint(field.value.trim(), at >= 0 ? rows[at] : null);
  };
  field.addEventListener("input", draw);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      at = Math.min(Math.max(at + step, free ? -1 : 0), rows.length - 1);
      mark();
    } else if (event.key === "Enter") {
      if (at >= 0) done(rows[at]);
      else if (free) done({ text: field.value.trim() });
    } else return;
    event.preventDefault();
  });
  draw();
  field.focus();
  field.select();
}

export function rename(number) {
  if (!number) return;
  const { name } = model.people.get(number);
  pick(`Name of ${called(number)}`, {
    value: name, free: true,
    people: () => shown().filter((one) => one.number > 0 && one.name && one.number !== number),
    hint: (text, row) => (row ? `${row.text} is here already: Enter makes the two one.`
      : text ? `Enter names the character ${text}.` : name ? "Enter takes the name away." : "Type a name."),
    take: ({ text }) => { if (text !== name) decide.rename(number, text); },
  });
}

export function mergeWith(number) {
  if (!number) return;
  pick(`Make one with ${called(number)}`, {
    people: () => shown().filter((one) => one.number > 0 && one.number !== number),
    hint: (_, row) => (row ? `Enter makes ${called(number)} and ${row.text} one.` : "No character of this name."),
    take: (row) => decide.merge([number, row.number]),
  });
}

async function put(tracks, to, name) {
  if ((await decide.move(tracks, to)) && name) await decide.rename(model.state.character[tracks[0]], name);
}

/**
 * Ask where tracks belong: a character, a new one, one of a new name, or Unknown.
 * take(to, name) is called with the place, and a name for a new character.
 */
export function moveTo(tracks, take = (to, name) => put(tracks, to, name)) {
  if (!tracks.length) return decide.move(tracks, "new");
  const here = new Set(tracks.map((track) => model.state.character[track]));
  const elsewhere = (one) => here.size > 1 || !here.has(one.number);
  pick(`Where do ${several(tracks.length, "track")} belong?`, {
    free: true,
    people: () => shown().filter((one) => one.number > 0 && elsewhere(one)),
    extra: [{ to: "new", text: "New character" }, { to: "unknown", text: "Unknown" }],
    hint: (text, row) => (row ? `Enter moves them to ${row.text}.` : text ? `Enter moves them to a new character, ${text}.` : "Type a name."),
    take: (row) => {
      if (row.number || row.to) take(row.number ?? row.to, "");
      else if (row.text) take("new", row.text);
    },
  });
}

export function note(number) {
  if (!number) return;
  const field = h("textarea", { rows: 4, maxlength: "2000", "aria-label": "Note" });
  field.value = model.people.get(number).note;
  const done = () => { box.close(); decide.note(number, field.value); };
  const box = dialog(`Note about ${called(number)}`, "pick", field, h("footer", {}, button("Keep", "Ctrl Enter", done, { class: "strong" })));
  field.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) done(); });
  field.focus();
}

/** Show where a character would come apart; a click puts a track on the other side. */
export async function splitUp(number, tracks = []) {
  if (!number) return;
  if (tracks.length) return decide.split(number, tracks);
  let places;
  try { places = await get(`splits?character=${number}`); } catch (error) { return decide.failed(error); }
  const every = model.people.get(number).tracks;
  if (every.length < 2) return decide.failed(new Error("one track"));
  let place = 0, leave = new Set(places[0]?.leave ?? []);
  const said = h("p", { class: "soft" });
  const sides = h("div", { class: "sides" });
  const footer = h("footer");
  const box = dialog(`Split ${called(number)}`, "wide", said, sides, footer);
  const draw = () => {
    const at = places[place];
    said.textContent = at
      ? `The weakest link of ${places.length}: these two groups were joined at ${at.distance.toFixed(2)}, where ${at.threshold.toFixed(2)} was allowed. Click a picture to put it on the other side.`.replace("weakest link of 1:", "only link:").replace(/^The weakest link of (\d+)/, place ? `Link ${place + 1} of $1, from the weakest` : "The weakest of $1 links")
      : "Nothing is known of what joined these tracks. Click the pictures that are somebody else.";
    fill(sides, side("Stay", every.filter((track) => !leave.has(track)), flip), side("Become a new character", every.filter((track) => leave.has(track)), flip));
    fill(footer,
      places.length > 1 ? button("Another place", "N", other) : null,
      button("Split", "Enter", done, { class: "strong", disabled: !leave.size || leave.size === every.length }));
  };
  const flip = (track) => { leave.has(track) ? leave.delete(track) : leave.add(track); draw(); };
  const other = () => { place = (place + 1) % places.length; leave = new Set(places[place].leave); draw(); };
  const done = () => {
    if (!leave.size || leave.size === every.length) return;
    box.close();
    decide.split(number, [...leave].sort((a, b) => a - b));
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "n" && places.length > 1) other();
    else if (event.key === "Enter" && event.target.tagName !== "BUTTON") done();
    else return;
    event.preventDefault();
  });
  draw();
  sides.tabIndex = -1;
  sides.focus();
}

/** Pictures of some tracks under a title. */
export function side(title, tracks, onclick = null, most = MOST) {
  const { best, start } = model.run.tracks;
  return h("section", { class: "side" },
    h("h3", {}, title, h("span", { class: "soft" }, ` ${tracks.length}`)),
    h("div", { class: "faces" }, tracks.slice(0, most).map((track) => {
      const inner = [picture(best[track], onclick ? "" : `track ${track}`), h("span", { class: "small" }, timecode(start[track]))];
      return onclick
        ? h("button", { type: "button", class: "pic", "aria-label": `track ${track}, ${timecode(start[track])}: other side`, onclick: () => onclick(track) }, inner)
        : h("span", { class: "pic" }, inner);
    })),
    tracks.length > most ? h("p", { class: "soft small" }, `and ${tracks.length - most} more`) : null);
}

export function keys(groups) {
  dialog("Keys", "wide", h("div", { class: "keys" }, groups.map(([title, rows]) => h("section", {},
    h("h3", {}, title),
    h("dl", {}, rows.map(([key, words]) => h("div", {}, h("dt", {}, key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, words))))))));
}
