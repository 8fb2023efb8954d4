// Every verb on the keyboard.

import * as decide from "./decide.js";
import * as dialogs from "./dialogs.js";
import { listed, model, tell } from "./model.js";
import { meant, mergeOrder } from "./panels.js";
import { ask } from "./queue.js";
import { regroup } from "./regroup.js";
import { why } from "./why.js";

const KEYS = [
  ["Character", {
    r: ["Rename", () => dialogs.rename(model.open)],
    m: ["Merge the selected characters, or with another one", () => (known().length > 1 ? decide.merge(mergeOrder()) : dialogs.mergeWith(model.open))],
    s: ["Split off the selected tracks, or where the weakest link is", () => dialogs.splitUp(model.open, model.chosen.size ? meant() : [])],
    d: ["The selected characters are different people", () => decide.apart(known())],
    l: ["Lock, unlock", () => decide.toggle([...model.picked], "lock")],
    h: ["Hide, show", () => decide.toggle([...model.picked], "hide")],
    t: ["Note", () => dialogs.note(model.open)],
  }],
  ["Selected tracks", {
    v: ["Move to a character by name", () => dialogs.moveTo(meant())],
    n: ["Make them a new character", () => decide.move(meant(), "new")],
    u: ["Set them aside as Unknown", () => decide.move(meant(), "unknown")],
    x: ["Not this person", () => decide.notThis(model.open, meant())],
    f: ["Not a face", () => decide.notAFace(meant())],
    c: ["Right here: confirm", () => decide.confirm(meant())],
    p: ["Picture that stands for the character", () => decide.cover(model.open, meant()[0] ?? -1)],
    w: ["Why are these two one person, or two", () => why(meant())],
    a: ["Select all tracks", () => decide.choose(listed())],
  }],
  ["Whole cast", {
    z: ["Undo", decide.undo],
    Z: ["Redo", decide.redo],
    q: ["Questions", ask],
    g: ["Cluster again", regroup],
    o: ["Film order, most doubtful first", () => { model.order = model.order === "film" ? "doubt" : "film"; tell("order"); }],
    k: ["Play, pause", () => document.dispatchEvent(new CustomEvent("play"))],
    "/": ["Find a character", () => document.getElementById("find").focus()],
    1: ["To the cast", () => document.getElementById("cast").focus()],
    2: ["To the tracks", () => document.getElementById("tracks").focus()],
    "?": ["These keys", help],
  }],
];
const MOVES = ["Lists", [
  ["↑ ↓ ← →", "Go from one to the next"],
  ["Space", "Select it besides the others"],
  ["Shift ↑ ↓", "Select from here to there"],
  ["Enter", "To its tracks; play the track"],
  ["Esc", "Select nothing, close a window"],
]];
const NAMES = { Z: "Shift Z", "/": "/" };

function known() {
  return [...model.picked].filter((number) => number > 0);
}

export function help() {
  const groups = KEYS.map(([title, keys]) => [title, Object.entries(keys).map(([key, [words]]) => [NAMES[key] ?? key.toUpperCase(), words])]);
  dialogs.keys([groups[0], MOVES, groups[1], groups[2]]);
}

export function listenToKeys() {
  const does = Object.assign({}, ...KEYS.map(([, keys]) => keys));
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select, dialog") || document.querySelector("dialog[open]")) return;
    if (event.altKey || event.isComposing) return;
    let { key } = event;
    if (event.ctrlKey || event.metaKey) {
      if (key.toLowerCase() === "z") key = event.shiftKey ? "Z" : "z";
      else if (key.toLowerCase() === "y") key = "Z";
      else if (key.toLowerCase() === "a") key = "a";
      else return;
    }
    if (key === "Escape") {
      decide.choose([]);
      return;
    }
    const act = does[key] ?? (key.toLowerCase() === "z" ? null : does[key.toLowerCase()]);
    if (!act) return;
    event.preventDefault();
    act[1]();
  });
}
