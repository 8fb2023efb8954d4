// The queue: a sheet of questions at a time, those first that remove most errors.

import { post } from "./api.js";
import { decide, failed } from "./decide.js";
import { dialog, moveTo } from "./dialogs.js";
import { button, fill, h, several } from "./dom.js";
import { listen, lookAt, model, openCharacter } from "./model.js";
import { decisions, drawn, handles, idsOf, marked, summed } from "./sheet.js";
import { toast } from "./toasts.js";

const MUCH = 99;
const KEYS = "1234567890ab"; // one for each picture of a sheet
const CALM = 600; // ms without a decision before the questions are counted again
const LOOK = 400; // ms that a sheet is there before it can be answered: nobody answers one unseen
const MOST = 4000; // questions that are passed over at most
const skipped = new Set(); // keys of questions that were skipped, or whose answer could not be
const alone = new Set(); // of Unknown tracks and of faces that were left as they are
const picked = new Set(); // what is not as it is shown; it stays while the window is closed

function queue() {
  return post("queue", { skipped: [...skipped, ...alone].slice(-MOST) });
}

/** Keep the number of sheets on their button. */
export function queueButton() {
  const word = document.querySelector("#ask .word");
  let asked = -1, timer = 0;
  const look = async () => {
    asked = model.state.revision;
    try {
      const { revision, left } = await queue();
      if (revision !== model.state.revision) return;
      word.textContent = !left ? "Questions" : `${left > MUCH ? `${MUCH}+ sheets` : several(left, "sheet")} of questions`;
      document.getElementById("ask").classList.toggle("strong", left > 0);
    } catch { /* said when somebody opens it */ }
  };
  listen((changed) => {
    if (!changed.has("state") || asked === model.state.revision) return;
    clearTimeout(timer);
    timer = setTimeout(look, CALM);
  });
}

export async function ask() {
  try { new Questions(await queue()); } catch (error) { await failed(error); }
}

/** The window. While it is busy, it waits for the server and takes nothing else. */
class Questions {
  constructor(said) {
    this.more = this.onward = this.fresh = false;
    this.sheet = [];
    this.body = h("div", { class: "question" });
    this.busy = false;
    this.foot = h("p", { class: "soft small left", role: "status" });
    this.box = dialog("Questions", "wide ask", this.foot, this.body);
    const deaf = listen((changed) => { if (changed.has("state") && !this.busy) this.again(true); });
    this.box.addEventListener("close", deaf);
    this.box.addEventListener("keydown", (event) => this.key(event));
    this.show(said);
  }

  get busy() { return this.body.ariaBusy === "true"; }

  set busy(is) { this.body.ariaBusy = String(is); }

  /** Ask for the questions as they are now. */
  async again(stay = false) {
    this.busy = true;
    try {
      let said;
      do said = await queue(); while (said.revision < model.state.revision);
      this.show(said, stay);
    } catch (error) {
      await failed(error);
    } finally {
      this.busy = false;
    }
  }

  /** Show the first sheet; or stay with the one that is there, as far as it is asked still. */
  show(said, stay = false) {
    const here = new Set(stay ? this.sheet.map((one) => one.key) : []);
    const still = said.sheets.flat().filter((one) => here.has(one.key));
    this.said = said;
    this.sheet = still.length ? still : said.sheets[0] ?? [];
    const ids = new Set(handles(this.sheet));
    for (const id of picked) if (!ids.has(id)) picked.delete(id);
    if (still.length) return this.draw(document.activeElement?.dataset.id);
    this.fresh = true;
    delete this.body.dataset.seen;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { this.fresh = false; this.body.dataset.seen = ""; }, LOOK);
    this.more = false;
    this.draw();
    this.body.parentElement.scrollTop = 0;
  }

  draw(focus = "") {
    const { said, sheet, body, more } = this;
    const over = !sheet.length || (said.left === 0 && !this.onward);
    body.dataset.question = over ? "none" : sheet.map((one) => one.key).join(" ");
    if (over) return this.finished();
    this.foot.textContent = said.left
      ? `About ${said.expected.toFixed(said.expected < 10 ? 1 : 0)} tracks are expected to be wrong. ${several(said.left, "sheet")} until it is less than one.`
      : `Less than one track is expected to be wrong (${said.expected.toFixed(2)}).`;
    const toggle = (ids, focused) => this.toggle(ids, focused);
    fill(body, drawn(sheet, { picked, toggle, more, keys: KEYS, film: (track) => this.inFilm(track) }), this.answers());
    const before = body.querySelector(`[data-id="${focus}"]`);
    if (before) before.focus();
    else body.querySelector("button.yes").focus({ preventScroll: true }); // it is always in sight
  }

  finished() {
    const { said, sheet, body } = this;
    const all = () => { skipped.clear(); this.onward = true; this.again(); };
    this.foot.textContent = "";
    fill(body, h("p", { class: "asked" }, skipped.size && !sheet.length ? "All that is left was skipped."
      : `Nothing more${skipped.size ? ", but what you skipped," : ""} is worth asking: ${said.expected.toFixed(2)} wrong tracks are expected.`),
      h("div", { class: "answers" },
        sheet.length ? button("Ask on", "", () => { this.onward = true; this.draw(); }) : null,
        skipped.size ? button("Ask what I skipped", "", all) : null,
        button("Close", "Esc", () => this.box.close(), { class: "strong" })));
    body.querySelector("button.strong").focus();
  }

  answers() {
    const some = marked(this.sheet, picked).length > 0;
    return h("div", { class: "answers stays" },
      button(picked.size ? `${picked.size} clicked, the rest is right` : "All is right as it is", "Y", () => this.answer(), { class: "yes strong" }),
      some ? button("No faces", "F", () => this.noFaces()) : null,
      some ? button("Say who", "V", () => this.who()) : null,
      button("Skip", "S", () => this.skip()),
      button(this.more ? "Show less" : "Show more", "E", () => this.showMore()));
  }

  toggle(ids, focus = ids[0]) {
    if (this.busy) return;
    const off = ids.every((id) => picked.has(id));
    for (const id of ids) off ? picked.delete(id) : picked.add(id);
    this.draw(focus);
  }

  /**
   * Decide what the sheet says: what was clicked is not as it was shown, the rest is. Once the
   * cast is another one than the sheet was drawn of, the rest stays undecided, to be looked at.
   */
  async answer(how = {}) {
    if (this.busy || this.fresh) return;
    this.busy = true;
    const { edits, open } = decisions(this.sheet, picked, how), taken = [];
    let seen = Math.min(this.said.revision, model.state.revision), state = true;
    while (edits.length && state !== null) {
      const { edit, questions, words } = edits.shift();
      state = await decide(edit.verb, { ...edit, revision: seen }, "");
      if (state) { seen = state.revision; taken.push(words); }
      if (state === false) for (const question of questions) skipped.add(question.key);
      if (state && edit.to === "new" && how.name) {
        const named = { verb: "name", characters: [state.character[edit.tracks[0]]], text: how.name };
        edits.unshift({ edit: named, questions: [], words: null });
      }
    }
    const over = state !== null;
    if (over) for (const question of open) alone.add(question.key);
    if (taken.length) toast(summed(taken), { act: ["Undo", () => this.takeBack(seen, taken.length, open)] });
    if (over) picked.clear();
    await this.again(!over);
  }

  /** Take back all that a sheet decided; refused where anything was decided since. */
  async takeBack(seen, taken, open) {
    this.busy = true;
    let state = true;
    for (let i = 0; state && i < taken; i += 1) {
      state = await decide("undo", { revision: seen }, "");
      seen = state?.revision;
    }
    if (state) for (const question of open) alone.delete(question.key);
    if (state) toast("Took back what the sheet decided");
    await this.again(!state);
  }

  noFaces() {
    if (marked(this.sheet, picked).length) this.answer({ faces: false });
  }

  /** Ask who those are that were clicked; nothing is decided before that is said. */
  who() {
    const some = marked(this.sheet, picked);
    if (some.length && !this.busy) moveTo(some, (to, name) => this.answer({ to, name }));
  }

  skip() {
    if (this.busy) return;
    for (const question of this.sheet) skipped.add(question.key);
    picked.clear();
    this.again();
  }

  showMore() {
    this.more = !this.more;
    this.draw();
  }

  /** Leave the questions for the place of a track in its film. */
  inFilm(track) {
    this.box.close();
    openCharacter(model.state.character[track], [track]);
    lookAt(track);
    document.getElementById("main").dataset.tab = "film";
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.body.querySelector(".yes")) return;
    if (event.repeat) { // a key that is held answers once
      if (event.key === "Enter") event.preventDefault();
      return;
    }
    const does = { y: () => this.answer(), s: () => this.skip(), f: () => this.noFaces(), v: () => this.who(), e: () => this.showMore() };
    handles(this.sheet).slice(0, KEYS.length).forEach((id, i) => { does[KEYS[i]] = () => this.toggle([id]); });
    // The row of digits has other signs on some keyboards: its places count.
    const act = does[/^Digit\d$/.test(event.code) ? event.code.at(-1) : event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  }
}
