// What is known: the run, who is who, and what is chosen on the page. Tells whoever listens.

import { percent } from "./dom.js";

const listeners = new Set();

export const model = {
  run: null,
  state: null,
  people: new Map(), // number -> person, 0 the Unknown
  open: 0, // the character whose tracks are shown
  picked: new Set(), // characters that are selected
  chosen: new Set(), // tracks that are selected
  track: -1, // the track that is looked at
  order: "film", // or "doubt"
  film: 0,
};

/**
 * Listen: called with what changed: "state", "open", "picked", "chosen", "track", "order", "film".
 * Returns what ends it.
 */
export function listen(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function tell(...what) {
  const changed = new Set(what);
  for (const listener of listeners) listener(changed);
}

export function begin(run, state) {
  model.run = run;
  setState(state, true);
  const first = shown().find((person) => person.number > 0) || model.people.get(0);
  model.open = first ? first.number : 0;
  model.picked = new Set(first ? [first.number] : []);
  tell("state", "open", "picked", "chosen", "track", "order", "film");
}

export function setState(state, quiet = false) {
  model.state = state;
  model.people = summed(state);
  if (!model.people.has(model.open)) model.open = stand_in(model.open);
  model.picked = new Set([...model.picked].filter((number) => model.people.has(number)));
  if (!model.picked.size) model.picked.add(model.open);
  const here = new Set(model.people.get(model.open)?.tracks);
  model.chosen = new Set([...model.chosen].filter((track) => here.has(track)));
  if (!quiet) tell("state", "open", "picked", "chosen");
}

/** The character that took the tracks of one that is gone. */
function stand_in(number) {
  if (model.track >= 0) return model.state.character[model.track];
  const known = [...model.people.keys()].filter((one) => one > 0);
  return known.filter((one) => one < number).pop() ?? known[0] ?? 0;
}

function summed(state) {
  const { film, start, stop, best, shot } = model.run.tracks;
  const people = new Map();
  for (const person of state.people) people.set(person.number, { ...person, tracks: [] });
  const unknown = { number: 0, name: "", note: "", locked: false, hidden: false, cover: -1, tracks: [] };
  for (let track = 0; track < state.character.length; track += 1) {
    (people.get(state.character[track]) || unknown).tracks.push(track);
  }
  if (unknown.tracks.length) {
    unknown.cover = best[unknown.tracks[0]];
    people.set(0, unknown);
  }
  for (const person of people.values()) {
    const order = person.tracks.slice().sort((a, b) => film[a] - film[b] || start[a] - start[b]);
    let seconds = 0, sure = 0, weight = 0, wrong = 0, until = -1, at = -1;
    const shots = new Set();
    for (const track of order) {
      if (film[track] !== at) { at = film[track]; until = -1; }
      seconds += Math.max(0, stop[track] - Math.max(start[track], until));
      until = Math.max(until, stop[track]);
      const long = stop[track] - start[track];
      sure += long * state.confidence[track];
      weight += long;
      wrong += 1 - state.confidence[track];
      shots.add(`${film[track]}:${shot[track]}`);
    }
    Object.assign(person, {
      tracks: order, seconds, wrong, shots: shots.size,
      sure: weight ? sure / weight : 0, label: label(person),
    });
  }
  return people;
}

function label(person) {
  return person.number ? person.name || `Character ${person.number}` : "Unknown";
}

/** How a library knows somebody, and how surely; empty where it does not. */
export function knownAs(person) {
  return person.known ? `${person.known[0]} ${percent(person.known[1])}` : "";
}

export function called(number) {
  return model.people.get(number)?.label ?? `Character ${number}`;
}

/** How a place for tracks is called: a number, "new" or "unknown". */
export function placed(to) {
  return to === "new" ? "a new character" : to === "unknown" ? "Unknown" : called(to);
}

/** Characters as the list shows them: by number, the hidden after them, the Unknown last. */
export function shown(find = "") {
  const wanted = find.trim().toLocaleLowerCase();
  const rank = (person) => (person.number === 0 ? 2 : person.hidden ? 1 : 0);
  return [...model.people.values()]
    .filter((person) => !wanted || person.label.toLocaleLowerCase().includes(wanted))
    .sort((a, b) => rank(a) - rank(b) || a.number - b.number);
}

export function openCharacter(number, tracks = []) {
  model.open = number;
  model.picked = new Set([number]);
  model.chosen = new Set(tracks);
  tell("open", "picked", "chosen");
}

export function lookAt(track) {
  model.track = track;
  if (track >= 0) model.film = model.run.tracks.film[track];
  tell("track", "film");
}

/** Tracks of the character that is open, in the order that is asked for. */
export function listed() {
  const tracks = model.people.get(model.open)?.tracks ?? [];
  if (model.order === "film") return tracks;
  const { confidence } = model.state;
  return tracks.slice().sort((a, b) => confidence[a] - confidence[b] || a - b);
}
