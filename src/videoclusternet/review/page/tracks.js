// The tracks of the character that is open: pictures to look at, to select, to drag away.

import { drag } from "./cast.js";
import { choose } from "./decide.js";
import { fill, h, icon, percent, picture, several, span, sureness, timecode } from "./dom.js";
import { Grid } from "./grid.js";
import { listed, listen, lookAt, model } from "./model.js";

const BEAT = 170; // ms a picture is shown while a track plays
const CAPTION = 34;

export function trackGrid() {
  const nobody = document.getElementById("nobody");
  const grid = new Grid(document.getElementById("tracks"), {
    label: "Tracks", width: 104, gap: 10, pad: 14, height: (wide) => wide + CAPTION, make, show,
    onactive: (track) => { choose([track]); lookAt(track); },
    onmove: (track) => lookAt(track),
    onenter: (track) => { lookAt(track); document.dispatchEvent(new CustomEvent("play")); },
    ontoggle: (track) => {
      const chosen = new Set(model.chosen);
      chosen.has(track) ? chosen.delete(track) : chosen.add(track);
      choose(chosen);
      lookAt(track);
    },
    onrange: (tracks) => choose(new Set([...model.chosen, ...tracks])),
  });
  listen((changed) => {
    if (changed.has("state") || changed.has("open") || changed.has("order")) {
      const tracks = listed();
      const before = grid.items[grid.active];
      grid.active = tracks.indexOf(before);
      grid.set(tracks);
      if (changed.has("open") && grid.active < 0) grid.root.scrollTop = 0;
      nobody.hidden = tracks.length > 0;
      grid.root.hidden = tracks.length === 0;
      nobody.textContent = model.run.tracks.film.length ? "No tracks here." : "No face was found in this film.";
    }
    if (changed.has("track")) {
      const at = grid.items.indexOf(model.track);
      if (at >= 0 && at !== grid.active) grid.go(at);
    }
    if (changed.has("chosen") || changed.has("track")) grid.refresh();
  });
  return grid;
}

function make() {
  return h("figure", {
    class: "tile",
    draggable: "true",
    onmouseenter: (event) => playOn(event.currentTarget),
    onmouseleave: stop,
    ondragstart: (event) => {
      stop();
      const track = Number(event.currentTarget.dataset.track);
      if (!model.chosen.has(track)) choose([track]);
      drag(event, { tracks: [...model.chosen] }, several(model.chosen.size, "track"));
    },
  });
}

export function describe(track) {
  const { start, stop } = model.run.tracks;
  const { confidence, hand, character } = model.state;
  const sure = hand[track] ? "by hand" : character[track] ? `${percent(confidence[track])} sure` : why(track);
  return `track ${name(track)}, ${timecode(start[track])} for ${span(stop[track] - start[track])}, ${sure}`;
}

export function name(track) {
  const given = model.run.tracks.name[track];
  return given && given !== String(track) ? `${track} (${given})` : String(track);
}

export function why(track) {
  const probable = model.state.probable[track];
  const words = model.run.reasons[model.state.reason[track]] ?? "";
  return probable ? `${words}, probably ${model.people.get(probable)?.label ?? probable}` : words;
}

function show(tile, track) {
  const { best, start, stop } = model.run.tracks;
  const { confidence, hand, character } = model.state;
  const chosen = model.chosen.has(track);
  if (tile.dataset.track !== String(track)) fill(tile);
  tile.dataset.track = String(track);
  tile.classList.toggle("seen", track === model.track);
  tile.setAttribute("aria-selected", String(chosen));
  tile.setAttribute("aria-label", describe(track));
  if (!tile.firstChild) {
    fill(tile,
      h("span", { class: "face" }, picture(best[track]), h("span", { class: "gauge" }, h("i"))),
      h("figcaption", {}, h("b"), h("span", { class: "soft" })),
      h("span", { class: "tick", "aria-hidden": "true" }, icon("check")));
  }
  const [face, caption] = tile.children;
  const bar = face.lastChild;
  const known = character[track] > 0;
  bar.className = `gauge ${known ? (hand[track] ? "hand" : sureness(confidence[track])) : "none"}`;
  bar.firstChild.style.width = `${known ? Math.max(4, 100 * confidence[track]) : 100}%`;
  caption.firstChild.textContent = timecode(start[track]);
  caption.lastChild.textContent = known
    ? `${span(stop[track] - start[track])} · ${hand[track] ? "by hand" : percent(confidence[track])}`
    : why(track);
}

let playing = null;

/** Show the pictures of a track one after another. */
function playOn(tile) {
  stop();
  const track = Number(tile.dataset.track);
  const { crop, crops, best } = model.run.tracks;
  const image = tile.querySelector("img");
  if (!image || crops[track] < 2) return;
  let at = 0;
  const timer = setInterval(() => {
    at = (at + 1) % crops[track];
    image.src = `crop/${crop[track] + at}.jpg`;
  }, BEAT);
  playing = () => {
    clearInterval(timer);
    if (tile.dataset.track === String(track)) image.src = `crop/${best[track]}.jpg`;
  };
}

function stop() {
  playing?.();
  playing = null;
}
