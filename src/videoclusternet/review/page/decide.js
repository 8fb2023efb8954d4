// Decisions: each goes to the server, and the page shows what came of it.

import { get, post, Refused } from "./api.js";
import { several } from "./dom.js";
import { called, model, openCharacter, placed, setState, tell } from "./model.js";
import { gone, toast } from "./toasts.js";

const EVERY = 2000; // ms between looks at what others decide
const CHANGED = 409; // somebody else has decided something since
const ANOTHER = 410; // the folder holds another run by now, as when somebody is forgotten
let last = Promise.resolve();
let sent = 0, answered = 0;

/**
 * Take a decision; decisions follow one another. Returns the state that came of it; false where it
 * cannot be, null where it was not even looked at: on another state than now, or by no server.
 */
export function decide(verb, values, words) {
  const next = last.then(() => send(verb, values, words));
  last = next.catch(() => {});
  return next;
}

async function send(verb, values, words) {
  sent += 1;
  try {
    const state = await post("edit", { revision: model.state.revision, verb, ...values });
    setState(state);
    const undone = verb === "undo" || verb === "redo";
    if (words) toast(words, undone ? {} : { act: ["Undo", undo] });
    return state;
  } catch (error) {
    await failed(error);
    return error instanceof Refused && error.status !== CHANGED ? false : null;
  } finally {
    answered += 1;
  }
}

/** Say why the server refuses; after a conflict show what changed. */
export async function failed(error) {
  if (!(error instanceof Refused)) {
    gone("The server does not answer. What you decided before is kept; start vcn review again.");
    return;
  }
  const advice = error.advice ? ` (${error.advice})` : "";
  if (error.status === ANOTHER) {
    // The page of before goes with all that it shows; what is loaded in its place only says why.
    if ("ready" in document.body.dataset) location.reload();
    else gone(`${capital(error.message)}${advice}.`);
    return;
  }
  if (error.status === CHANGED) setState(await get("state"));
  toast(`${capital(error.message)}${advice}.`, { kind: "bad" });
}

function capital(text) {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/** Look now and then for what other windows and the command line decided. */
export function watch() {
  setInterval(async () => {
    if (document.hidden || sent > answered) return;
    const seen = model.state.revision, before = sent;
    try {
      const state = await get(`state?revision=${seen}`);
      gone("");
      if (!state || model.state.revision !== seen || sent !== before) return; // what is told are our own
      const news = state.log.filter((line) => line.id > seen);
      setState(state);
      const who = news.map((line) => `${line.words} (${line.author || "somebody"})`);
      toast(`Somebody else decided: ${who.slice(0, 3).join("; ") || "something was taken back"}.`);
    } catch (error) {
      if (!(error instanceof Refused) || error.status === ANOTHER) await failed(error);
    }
  }, EVERY);
}

export function undo() {
  const what = model.state.undo;
  if (!what) return toast("There is nothing to take back.");
  return decide("undo", {}, `Took back: ${what}`);
}

export function redo() {
  const what = model.state.redo;
  if (!what) return toast("There is nothing to do again.");
  return decide("redo", {}, `Did again: ${what}`);
}

export function rename(number, text) {
  const name = text.trim();
  return decide("name", { characters: [number], text: name }, name ? `Named ${name}` : "Took the name away");
}

export async function merge(numbers) {
  const known = numbers.filter((number) => number > 0);
  if (known.length < 2) return toast("Select two characters to make them one.");
  const others = known.slice(1).map(called).join(", ");
  const words = `Made ${called(known[0])} and ${others} one`;
  if (await decide("merge", { characters: known }, words)) openCharacter(known[0]);
}

export function apart(numbers) {
  if (numbers.length < 2) return toast("Select two characters to say that they are different people.");
  return decide("apart", { characters: numbers }, `Different people: ${numbers.map(called).join(", ")}`);
}

/** Put tracks somewhere: a number, "new" or "unknown". */
export async function move(tracks, to) {
  if (!tracks.length) return toast("Select a track first.");
  const done = await decide("move", { tracks, to }, `Moved ${several(tracks.length, "track")} to ${placed(to)}`);
  if (done && to === "new") openCharacter(model.state.character[tracks[0]]);
  return done;
}

export async function split(number, tracks) {
  const done = await decide(
    "split", { characters: [number], tracks },
    `Split ${several(tracks.length, "track")} off ${called(number)}`,
  );
  if (done) openCharacter(model.state.character[tracks[0]]);
  return done;
}

export function notThis(number, tracks) {
  if (!tracks.length) return toast("Select a track first.");
  if (!number) return toast("These tracks are of nobody already.");
  const words = `${several(tracks.length, "track")}: not ${called(number)}`;
  return decide("not", { characters: [number], tracks }, words);
}

export function notAFace(tracks) {
  if (!tracks.length) return toast("Select a track first.");
  return decide("not-a-face", { tracks }, `${several(tracks.length, "track")}: no face`);
}

export function confirm(tracks) {
  if (!tracks.length) return toast("Select a track first.");
  return decide("confirm", { tracks }, `${several(tracks.length, "track")}: right here`);
}

export function toggle(numbers, verb) {
  const known = numbers.filter((number) => number > 0);
  if (!known.length) return toast("Choose a character first.");
  const key = verb === "lock" ? "locked" : "hidden";
  const all = known.every((number) => model.people.get(number)[key]);
  const names = known.map(called).join(", ");
  const words = { lock: ["Locked", "Unlocked"], hide: ["Hidden", "Shown again"] }[verb][Number(all)];
  return decide(all ? `un${verb}` : verb, { characters: known }, `${words}: ${names}`);
}

export function cover(number, track) {
  if (!number || track < 0) return toast("Choose a track of a character first.");
  return decide("cover", { characters: [number], tracks: [track] }, `New picture of ${called(number)}`);
}

export function note(number, text) {
  return decide("note", { characters: [number], text }, text.trim() ? "Noted" : "Took the note away");
}

export function choose(tracks) {
  model.chosen = new Set(tracks);
  tell("chosen");
}
