// Clustering again: progress, then what would be otherwise, to be kept or dropped.

import { get, post } from "./api.js";
import { failed } from "./decide.js";
import { dialog, side } from "./dialogs.js";
import { button, fill, h, several } from "./dom.js";
import { model, setState } from "./model.js";
import { toast } from "./toasts.js";

const LOOK = 250; // ms
const MOST = 24;

export async function regroup() {
  const body = h("div", { class: "regroup", role: "status" });
  const box = dialog("Cluster again", "wide", body);
  fill(body, h("p", {}, "Finding the characters anew, with all that was decided held to…"), h("progress", { "aria-label": "Clustering" }));
  try {
    let said = await post("recluster/start", { revision: model.state.revision });
    while (said.state === "running") {
      const bar = body.querySelector("progress");
      if (said.total) { bar.max = said.total; bar.value = said.done; }
      await new Promise((next) => setTimeout(next, LOOK));
      if (!box.open) return;
      said = await get("recluster");
    }
    show(box, body, said);
  } catch (error) {
    box.close();
    await failed(error);
  }
}

function show(box, body, said) {
  if (said.state !== "ready") {
    fill(body, h("p", { class: "bad" }, said.error || "Nothing was found."), foot(button("Close", "Esc", () => box.close(), { class: "strong" })));
    return;
  }
  if (!said.moved.length) {
    fill(body, h("p", {}, "Nothing changes: the clustering agrees with what was decided."), foot(button("Close", "Esc", () => box.close(), { class: "strong" })));
    return;
  }
  const count = said.moved.reduce((sum, way) => sum + way.tracks.length, 0);
  const news = [
    `${several(count, "track")} would move`,
    said.appeared.length ? `new: ${said.appeared.join(", ")}` : "",
    said.gone.length ? `gone: ${said.gone.join(", ")}` : "",
  ].filter(Boolean);
  const keep = async () => {
    box.close();
    try {
      setState(await post("recluster/keep", { revision: model.state.revision }));
      toast("Kept the new clustering. Undo takes it back.");
    } catch (error) { await failed(error); }
  };
  const drop = async () => {
    box.close();
    try { await post("recluster/drop", { revision: model.state.revision }); } catch (error) { await failed(error); }
  };
  fill(body,
    h("p", { class: "asked" }, `${news.join("; ")}.`),
    h("div", { class: "ways" }, said.moved.map((way) => {
      const made = side("", way.tracks, null, MOST);
      fill(made.firstChild, h("span", {}, way.from), h("span", { class: "arrow", "aria-label": "to" }, " → "), h("span", {}, way.to), h("span", { class: "soft" }, ` ${way.tracks.length}`));
      return made;
    })),
    foot(button("Drop", "Esc", drop), button("Keep", "Enter", keep, { class: "strong" })));
  body.querySelector("button.strong").focus();
}

function foot(...buttons) {
  return h("footer", {}, buttons);
}
