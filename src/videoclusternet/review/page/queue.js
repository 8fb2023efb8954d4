// The queue: a sheet of questions at a time, those first that remove most errors.

import { get } from "./api.js";
import { decide, failed, undo } from "./decide.js";
import { dialog, moveTo } from "./dialogs.js";
import { button, fill, h, several } from "./dom.js";
import { listen, lookAt, model, openCharacter } from "./model.js";
import { decisions, drawn, handles, keyOf } from "./sheet.js";
import { toast } from "./toasts.js";

const MUCH = 99;
const KEYS = "1234567890ab"; // one for each picture of a sheet
const CALM = 600; // ms without a decision before the questions are counted again
const skipped = new Set();
let count = null;

/** Keep the number of sheets on their button. */
export function queueButton() {
  const place = document.getElementById("ask");
  const draw = () => {
    const said = !count ? "Questions" : count > MUCH ? `${MUCH}+ sheets of questions` : `${several(count, "sheet")} of questions`;
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

/** The first sheet with a question that was not skipped, without those that were. */
function next(said) {
  const open = said.sheets.map((sheet) => sheet.filter((question) => !skipped.has(keyOf(question))));
  return open.find((sheet) => sheet.length) ?? null;
}

export async function ask() {
  let said;
  try { said = await get("queue"); } catch (error) { return failed(error); }
  let more = false, onward = false, busy = false, sheet = null;
  const picked = new Set(); // what is not as it is shown
  const body = h("div", { class: "question" });
  const foot = h("p", { class: "soft small left", role: "status" });
  const box = dialog("Questions", "wide ask", foot, body);
  const draw = (focus = "button.yes") => {
    sheet = next(said);
    const enough = said.left === 0 && !onward;
    body.dataset.question = !sheet || enough ? "none" : sheet.map(keyOf).join(", ");
    if (!sheet || enough) return finished(sheet);
    foot.textContent = said.left
      ? `About ${said.expected.toFixed(said.expected < 10 ? 1 : 0)} tracks are expected to be wrong. ${several(said.left, "sheet")} until it is less than one.`
      : `Less than one track is expected to be wrong (${said.expected.toFixed(2)}).`;
    fill(body, drawn(sheet, { picked, toggle, more, keys: KEYS, film: inFilm }), answers());
    (body.querySelector(focus) ?? body.querySelector("button.yes"))?.focus();
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
  const tracks = () => sheet.flatMap((question) => question.kind === "same" ? [] : question.shown.filter((track) => picked.has(`t${track}`)));
  const answers = () => h("div", { class: "answers stays" },
    button(picked.size ? `${picked.size} clicked, the rest is right` : "All is right as it is", "Y", () => answer(), { class: "yes strong" }),
    tracks().length ? button("Those are no faces", "F", noFaces) : null,
    tracks().length ? button("Say who they are", "V", who) : null,
    button("Skip", "S", skip),
    button(more ? "Show less" : "Show more", "E", () => { more = !more; draw(); }));
  const toggle = (ids) => {
    const off = ids.every((id) => picked.has(id));
    for (const id of ids) off ? picked.delete(id) : picked.add(id);
    draw(ids.length === 1 ? `[data-id="${ids[0]}"]` : undefined);
  };
  /** Decide what the sheet says: what was clicked is not as it was shown, the rest is. */
  const answer = async (faces = true) => {
    if (busy) return;
    busy = true;
    const { edits, words, open } = decisions(sheet, picked, faces);
    for (const question of open) skipped.add(keyOf(question));
    let taken = 0;
    for (const { edit, questions } of edits) {
      if (await decide(edit.verb, edit, "")) taken += 1;
      else for (const question of questions) skipped.add(keyOf(question));
    }
    const after = model.state.revision;
    if (taken) toast(words, { act: ["Undo", () => takeBack(after, taken)] });
    picked.clear();
    try { said = await get("queue"); } catch (error) { await failed(error); }
    busy = false;
    more = false;
    draw();
  };
  const noFaces = () => tracks().length && answer(false);
  const who = async () => {
    const some = tracks();
    if (!some.length) return;
    await answer();
    moveTo(some);
  };
  const skip = () => {
    for (const question of sheet) skipped.add(keyOf(question));
    picked.clear();
    more = false;
    draw();
  };
  /** Leave the questions for the place of a track in its film. */
  const inFilm = (track) => {
    box.close();
    openCharacter(model.state.character[track], [track]);
    lookAt(track);
    document.getElementById("main").dataset.tab = "film";
  };
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !body.querySelector(".yes")) return;
    const does = { y: () => answer(), s: skip, f: noFaces, v: who, e: () => { more = !more; draw(); } };
    handles(sheet).slice(0, KEYS.length).forEach((id, i) => { does[KEYS[i]] = () => toggle([id]); });
    const act = does[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });
  draw();
}

/** Take back all that a sheet decided, if nothing was decided since; else the last decision. */
async function takeBack(after, taken) {
  const many = model.state.revision === after ? taken : 1;
  for (let i = 0; i < many; i += 1) await undo();
}
