// A sheet of questions: pictures beside whom they show, to be clicked where that is not so.

import { h, percent, picture, several } from "./dom.js";
import { called, model, placed } from "./model.js";

const FEW = 3; // pictures of a side when more are asked for
const PARTS = [
  ["belongs", "Do these belong where they are?", "Click those that do not."],
  ["same", "Are these two people each?", "Click pairs that are one person."],
  ["is", "Unknown: are these who they probably are?", "Click those that are; the others stay Unknown."],
  ["face", "Are these faces, though not surely?", "Click those that are none."],
];

/** What can be clicked of a question: its tracks, or the pair. */
export function idsOf(question) {
  return question.kind === "same" ? [`p${question.characters.join("-")}`] : question.shown.map((track) => `t${track}`);
}

/** What can be clicked of a sheet, in the order in which it is drawn. */
export function handles(sheet) {
  return PARTS.flatMap(([kind]) => ofKind(sheet, kind).flatMap(idsOf));
}

/** Questions of a kind, those about several tracks first. */
function ofKind(sheet, kind) {
  return sheet.filter((one) => one.kind === kind).sort((a, b) => (b.tracks.length > 1) - (a.tracks.length > 1));
}

/** Draw a sheet. */
export function drawn(sheet, how) {
  const key = new Map(handles(sheet).map((id, i) => [id, how.keys[i] ?? ""]));
  return PARTS.map(([kind, title, hint]) => {
    const some = ofKind(sheet, kind);
    if (!some.length) return null;
    return h("section", { class: "part", "data-kind": kind },
      h("h3", { class: "asked" }, title, " ", h("span", { class: "soft" }, hint)),
      h("div", { class: "picks" }, some.map((question) => cell(question, { ...how, key }))));
  });
}

function cell(question, how) {
  const { kind, characters, tracks } = question;
  if (kind === "same") {
    const pictures = characters.map((number) => faces(number, how.more ? FEW : 1));
    return pick(idsOf(question)[0], how, pictures, [name(characters[0]), " and ", name(characters[1])]);
  }
  if (tracks.length > 1) return group(question, how);
  const [track] = tracks;
  const side = kind === "face" ? null : faces(characters[0], how.more ? FEW : 1, tracks);
  return h("div", { class: "thing" },
    pick(`t${track}`, how, [looks(track, how.more ? FEW : 1), side], label(kind, characters[0], track)),
    film(track, how));
}

/** The name of a character; letters of other directions leave what is around them as it is. */
function name(number) {
  return h("bdi", { title: called(number) }, called(number));
}

function label(kind, number, track) {
  if (kind === "belongs") return [name(number), `, ${percent(model.state.confidence[track])} sure`];
  return kind === "is" ? [name(number), "?"] : `Track ${track}`;
}

/** Tracks that came to a character together: they can leave together. */
function group({ characters: [number], shown, tracks }, how) {
  const ids = shown.map((track) => `t${track}`);
  const off = ids.every((id) => how.picked.has(id));
  return h("div", { class: `bunch ${shown.length > 4 ? "many" : ""}`, role: "group", "aria-label": `${several(tracks.length, "track")} in ${called(number)}` },
    h("div", { class: "bunch-of" }, faces(number, 1, tracks), h("span", { class: "small" }, name(number))),
    h("div", { class: "picks" }, shown.map((track) => pick(`t${track}`, how, [looks(track, 1)], ""))),
    h("button", { type: "button", class: "all-of", "data-id": `all-${ids[0]}`, "aria-pressed": String(off), onclick: () => how.toggle(ids, `all-${ids[0]}`) },
      tracks.length > shown.length ? `None of all ${tracks.length}` : `None of these ${tracks.length}`));
}

function pick(id, how, pictures, text) {
  const shown = pictures.filter(Boolean), key = how.key.get(id);
  return h("button", {
    type: "button", class: `pick ${shown.length > 1 ? "pair" : ""}`, "data-id": id,
    "aria-pressed": String(how.picked.has(id)), "aria-keyshortcuts": key || null,
    "aria-label": text ? null : `track ${id.slice(1)}`, onclick: () => how.toggle([id]),
  },
    h("span", { class: "two" }, shown),
    text ? h("span", { class: "small" }, text) : null,
    h("kbd", {}, key.toUpperCase()));
}

function film(track, how) {
  if (!model.run.films[model.run.tracks.film[track]].width) return null;
  return h("button", { type: "button", class: "link small", "aria-label": `Show track ${track} in the film`, onclick: () => how.film(track) }, "in the film");
}

/** A track, with some of its pictures. */
function looks(track, most) {
  const { best, crop, crops } = model.run.tracks, many = Math.min(crops[track], most);
  const rows = many < 2 ? [best[track]] : Array.from({ length: many }, (_, i) => crop[track] + Math.floor((i * crops[track]) / many));
  return h("span", { class: "looks" }, rows.map((row) => picture(row, `track ${track}`)));
}

/** A character, with the surest of its other tracks from each part of the film. */
function faces(number, most, but = []) {
  const tracks = (model.people.get(number)?.tracks ?? []).filter((track) => !but.includes(track));
  const { confidence } = model.state, many = Math.min(tracks.length, most);
  const surest = Array.from({ length: many }, (_, i) => tracks
    .slice(Math.floor((i * tracks.length) / many), Math.floor(((i + 1) * tracks.length) / many))
    .reduce((best, track) => (confidence[track] > confidence[best] ? track : best)));
  return h("span", { class: "looks" }, surest.map((track) => picture(model.run.tracks.best[track], called(number))));
}

/** Tracks of a question that were clicked: of a large group all, when all that are shown were. */
function clicked({ kind, shown, tracks }, picked) {
  const some = kind === "same" ? [] : shown.filter((track) => picked.has(`t${track}`));
  return some.length === shown.length ? tracks : some;
}

/** All tracks of a sheet that were clicked. */
export function marked(sheet, picked) {
  return sheet.flatMap((question) => clicked(question, picked));
}

/**
 * What a sheet decides. What was clicked is not as it was shown; or shows no face; or belongs `to`
 * somebody. Of the others, tracks of a character are right there, and pairs are two people. Unknown
 * tracks that stay so, and faces that stay doubtful, are `open`: nothing is decided about them.
 */
export function decisions(sheet, picked, { faces = true, to = null, name = "" }) {
  const of = (kind) => ofKind(sheet, kind), off = (question) => clicked(question, picked);
  const rest = (question) => question.shown.filter((track) => !picked.has(`t${track}`));
  const [ones, twos] = parted(of("same"), (question) => picked.has(idsOf(question)[0]));
  const [some, others] = parted(sheet, (question) => off(question).length);
  const together = to || !faces ? some : some.filter(({ kind }) => kind === "face"), apart = to || !faces ? [] : some;
  const right = of("belongs").flatMap(rest), gone = together.flatMap(off);
  const wrong = (question) => rest(question).length ? { verb: "not", characters: question.characters, tracks: off(question) } : question.no;
  const edits = [
    // First what needs the characters as they are shown, last what makes them others.
    right.length ? say({ verb: "confirm", tracks: right }, of("belongs"), [right.length, "track", "right here"]) : null,
    ...twos.map((one) => say(one.no, [one], [1, "pair", "of two people"])),
    ...apart.filter(({ kind }) => kind === "belongs").map((one) => say(wrong(one), [one], [off(one).length, "track", "not"])),
    ...apart.filter(({ kind }) => kind === "is").map((one) => say(one.yes, [one], [1, "track", "placed"])),
    !gone.length ? null : to ? say({ verb: "move", tracks: gone, to }, together, [gone.length, "track", `moved to ${name || placed(to)}`])
      : say({ verb: "not-a-face", tracks: gone }, together, [gone.length, "track", "no face"]),
    ...ones.map((one) => say(one.yes, [one], [1, "pair", "made one"])),
  ];
  return { edits: edits.filter(Boolean), open: others.filter(({ kind }) => kind === "is" || kind === "face") };
}

/** Say what some decisions were, those of a kind together. */
export function summed(words) {
  const count = new Map();
  for (const [many, thing, what] of words.filter(Boolean)) {
    const key = JSON.stringify([thing, what]);
    count.set(key, (count.get(key) ?? 0) + many);
  }
  return [...count].map(([key, many]) => { const [thing, what] = JSON.parse(key); return `${several(many, thing)} ${what}`; }).join(", ");
}

function parted(questions, fits) {
  return [questions.filter(fits), questions.filter((question) => !fits(question))];
}

/** A decision for the server, the questions that it answers, and how it is told. */
function say({ verb, characters = [], tracks = [], to }, questions, words) {
  return { edit: { verb, characters, tracks, ...(to ? { to } : {}) }, questions, words };
}
