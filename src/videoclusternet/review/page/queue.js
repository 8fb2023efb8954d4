// The queue: one question after another, those first that remove most errors.

import { get } from "./api.js";
import { decide, failed } from "./decide.js";
import { dialog, moveTo, side } from "./dialogs.js";
import { button, fill, h, percent, several } from "./dom.js";
import { called, listen, lookAt, model, openCharacter } from "./model.js";

const FEW = 6, MANY = 60, MUCH = 99;
const KEYS = "1234567890ab"; // one for each of several tracks
const CALM = 600; // ms without a decision before the questions are counted again
const skipped = new Set();
let count = null;

/** Keep the number of questions on its button. */
export function queueButton() {
  const place = document.getElementById("ask");
  const draw = () => {
    const said = !count ? "Questions" : count > MUCH ? `${MUCH}+ questions` : several(count, "question");
    place.querySelector(".word").textContent = said;
    place.classList.toggle("strong", Boolean(count));
  };
  let asked = -1, timer = 0;
  const look = async () => {
    asked = model.state.revision;
    try {
      const said = await get("queue");
      if (said.revision === model.state.revision) { count = said.left; draw(); }
    } catch { /* said when somebody opens it */ }
  };
  listen((changed) => {
    if (!changed.has("state") || asked === model.state.revision) return;
    clearTimeout(timer);
    timer = setTimeout(look, CALM);
  });
  return draw;
}

const key = (question) => [question.kind, ...question.characters, "-", ...question.tracks].join(" ");

export async function ask() {
  let said;
  try { said = await get("queue"); } catch (error) { return failed(error); }
  let more = false, onward = false, busy = false, question = null;
  const picked = new Set(); // of several tracks: those that do not belong
  const body = h("div", { class: "question" });
  const foot = h("p", { class: "soft small left", role: "status" });
  const box = dialog("Questions", "wide ask", body, foot);
  const draw = (focus = null) => {
    question = said.questions.find((one) => !skipped.has(key(one))) ?? null;
    const enough = said.left === 0 && !onward;
    body.dataset.question = !question || enough ? "none" : key(question);
    if (!question || enough) return finished(question);
    foot.textContent = said.left
      ? `About ${said.expected.toFixed(said.expected < 10 ? 1 : 0)} tracks are expected to be wrong. ${several(said.left, "answer")} until it is less than one.`
      : `Less than one track is expected to be wrong (${said.expected.toFixed(2)}).`;
    const shown = question.tracks.length > 1 ? choices(question, picked, toggle) : pictures(question, more ? MANY : FEW, box);
    fill(body, h("h3", { class: "asked" }, words(question)), shown, answers());
    (body.querySelector(`[data-track="${focus}"]`) ?? body.querySelector("button.yes"))?.focus();
  };
  const finished = (rest) => {
    foot.textContent = "";
    const text = said.left === 0
      ? `Nothing more is worth asking: ${said.expected.toFixed(2)} wrong tracks are expected.`
      : "You have skipped all that is left.";
    fill(body, h("p", { class: "asked" }, text),
      h("div", { class: "answers" },
        rest ? button("Ask on", "", () => { onward = true; draw(); }) : null,
        skipped.size ? button("Ask what I skipped", "", () => { skipped.clear(); onward = true; draw(); }) : null,
        button("Close", "Esc", () => box.close(), { class: "strong" })));
    body.querySelector("button.strong").focus();
  };
  const answers = () => question.tracks.length > 1 ? severalAnswers() : h("div", { class: "answers" },
    button("Yes", "Y", yes, { class: "yes strong" }),
    button("No", "N", no, { class: "no" }),
    question.kind === "belongs" || question.kind === "is" ? button("Not a face", "F", noFace) : null,
    button("Skip", "S", skip),
    button(more ? "Show less" : "Show more", "E", () => { more = !more; draw(); }));
  const severalAnswers = () => h("div", { class: "answers" },
    button(picked.size ? `${several(picked.size, "track")} not, the others yes` : "All of them do", "Y", () => rest(), { class: "yes strong" }),
    picked.size ? button(picked.size > 1 ? "Those are no faces" : "That is no face", "F", noFaces) : null,
    button("Skip", "S", skip));
  const toggle = (track) => {
    if (!picked.delete(track)) picked.add(track);
    draw(track);
  };
  /** Say of those that were picked that they do not belong, of the others that they do. */
  const rest = (no = question.no, text = `Not ${called(question.characters[0])}`) => {
    const not = question.tracks.filter((track) => picked.has(track));
    const others = question.tracks.filter((track) => !picked.has(track));
    const edits = [];
    if (not.length) edits.push({ ...no, tracks: not });
    if (others.length) edits.push({ ...question.yes, tracks: others });
    return answer(edits, not.length ? `${text}: ${several(not.length, "track")}` : `${called(question.characters[0])}: ${several(others.length, "track")}`);
  };
  const noFaces = () => picked.size && rest({ verb: "not-a-face", characters: [] }, "Not a face");
  const answer = async (edits, text) => {
    if (busy) return;
    busy = true;
    let done = true;
    for (const edit of [edits].flat()) {
      done = done && await decide(edit.verb, { characters: edit.characters, tracks: edit.tracks, ...(edit.to ? { to: edit.to } : {}) }, text);
    }
    picked.clear();
    if (!done) skipped.add(key(question));
    try { said = await get("queue"); } catch (error) { await failed(error); }
    busy = false;
    more = false;
    draw();
  };
  const yes = () => {
    if (question.yes) return answer(question.yes, `Yes: ${words(question)}`);
    const tracks = question.tracks;
    box.close();
    moveTo(tracks);
  };
  const no = () => answer(question.no, `No: ${words(question)}`);
  const noFace = () => answer({ verb: "not-a-face", characters: [], tracks: question.tracks }, "Not a face");
  const skip = () => { skipped.add(key(question)); picked.clear(); more = false; draw(); };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !question) return;
    let does = { y: yes, n: no, s: skip, e: () => { more = !more; draw(); } };
    if (question.kind !== "same" && question.kind !== "face") does.f = noFace;
    if (question.tracks.length > 1) {
      does = { y: () => rest(), s: skip, f: noFaces };
      question.tracks.slice(0, KEYS.length).forEach((track, i) => { does[KEYS[i]] = () => toggle(track); });
    }
    const act = does[event.key.toLowerCase()];
    if (!act || !body.querySelector(".yes")) return;
    event.preventDefault();
    act();
  });
  draw();
}

function words({ kind, characters, tracks }) {
  if (tracks.length > 1) return `Which of these do not show ${called(characters[0])}?`;
  if (kind === "same") return `Are ${called(characters[0])} and ${called(characters[1])} the same person?`;
  if (kind === "belongs") return `Does this track show ${called(characters[0])}?`;
  if (kind === "is") return `Is this ${called(characters[0])}?`;
  return "Is this a face?";
}

function pictures({ kind, characters, tracks }, most, box) {
  if (kind === "same") return h("div", { class: "sides" }, characters.map((number) => one(number, most)));
  const asked = big(tracks[0], most, box);
  if (kind === "face") return h("div", { class: "sides single" }, asked);
  return h("div", { class: "sides" }, asked, one(characters[0], most, tracks));
}

/** Several tracks of a character, each to be picked where it does not belong. */
function choices({ characters, tracks }, picked, toggle) {
  const choice = (track, i) => h("button", {
    type: "button", class: "pick", "data-track": String(track), "aria-pressed": String(picked.has(track)),
    "aria-keyshortcuts": KEYS[i] ?? "", onclick: () => toggle(track),
  },
    h("img", { src: `crop/${model.run.tracks.best[track]}.jpg`, alt: `track ${track}` }),
    h("span", { class: "soft small" }, `${percent(model.state.confidence[track])} sure`),
    h("kbd", {}, (KEYS[i] ?? "").toUpperCase()));
  const which = h("section", { class: "side" }, h("h3", {}, "Click those that do not"), h("div", { class: "picks" }, tracks.map(choice)));
  const few = (model.people.get(characters[0])?.tracks.length ?? 0) - tracks.length < FEW;
  return h("div", { class: "sides" }, which, one(characters[0], FEW, few ? [] : tracks));
}

/** A character, with some of its tracks. */
function one(number, most, but = []) {
  const made = side(called(number), spread(number, most, but), null, most);
  made.querySelector("h3 .soft").textContent = ` ${several(model.people.get(number)?.tracks.length ?? 0, "track")}`;
  return made;
}

/** The track in question, with its pictures. */
function big(track, most, box) {
  const { crop, crops } = model.run.tracks;
  const rows = Array.from({ length: Math.min(crops[track], most) }, (_, i) => crop[track] + Math.floor((i * crops[track]) / Math.min(crops[track], most)));
  const sure = model.state.character[track] ? ` ${percent(model.state.confidence[track])} sure` : "";
  return h("section", { class: "side" },
    h("h3", {}, `Track ${track}`, h("span", { class: "soft" }, sure)),
    h("div", { class: "faces" }, rows.map((row) => h("span", { class: "pic" }, h("img", { src: `crop/${row}.jpg`, alt: `track ${track}` })))),
    model.run.films[model.run.tracks.film[track]].width
      ? h("p", {}, h("button", { type: "button", class: "link", onclick: () => inFilm(track, box) }, "Show it in the film")) : null);
}

/** Leave the questions for the place of a track in its film. */
function inFilm(track, box) {
  box.close();
  openCharacter(model.state.character[track], [track]);
  lookAt(track);
  document.getElementById("main").dataset.tab = "film";
}

/** Some tracks of a character, the surest of each part of the film. */
function spread(number, most, but = []) {
  const tracks = (model.people.get(number)?.tracks ?? []).filter((track) => !but.includes(track));
  if (tracks.length <= most) return tracks;
  const { confidence } = model.state;
  return Array.from({ length: most }, (_, i) => {
    const part = tracks.slice(Math.floor((i * tracks.length) / most), Math.floor(((i + 1) * tracks.length) / most));
    return part.reduce((best, track) => (confidence[track] > confidence[best] ? track : best));
  });
}
