// Why two tracks are one person, or two.

import { get } from "./api.js";
import { failed } from "./decide.js";
import { dialog } from "./dialogs.js";
import { h, picture, timecode } from "./dom.js";
import { model } from "./model.js";
import { toast } from "./toasts.js";

/** Explain two tracks; of one alone, why it is with the surest other one of its character. */
export async function why(tracks) {
  const [one, other] = tracks.length === 1 ? [tracks[0], surest(tracks[0])] : tracks;
  if (tracks.length > 2 || other === undefined || other < 0) {
    toast("Select two tracks to see why they are one person, or two.");
    return;
  }
  let said;
  try { said = await get(`why?one=${one}&other=${other}`); } catch (error) { await failed(error); return; }
  // What follows shows the merges themselves.
  const spoken = (line) => !line.endsWith(":") && !said.links.some((link) => link.words === line);
  const lines = said.said.filter(spoken).map((line) => `${line.charAt(0).toLocaleUpperCase()}${line.slice(1)}.`);
  dialog(`Why are tracks ${one} and ${other} ${said.together ? "one" : "two"}?`, "wide",
    row([one, other], h("div", {}, lines.map((line, i) => h("p", { class: i ? "" : "first" }, line)))),
    said.links.length ? h("h3", { class: "soft" }, "Merges between them, the weakest first") : null,
    said.links.map((link) => row(link.tracks ?? [], h("p", { class: "soft" }, link.words))));
}

function row(tracks, words) {
  const { best, start } = model.run.tracks;
  const pictures = tracks.map((track) => h("span", { class: "pic" },
    picture(best[track], ""), h("span", { class: "small" }, `${track}, ${timecode(start[track])}`)));
  return h("section", { class: "link-row" }, h("div", { class: "two" }, pictures), words);
}

function surest(track) {
  const { confidence, character } = model.state;
  const others = model.people.get(character[track])?.tracks.filter((one) => one !== track) ?? [];
  return others.reduce((best, one) => (best < 0 || confidence[one] > confidence[best] ? one : best), -1);
}
