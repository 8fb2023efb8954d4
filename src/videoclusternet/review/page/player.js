// The film, with boxes and names that follow its picture.

import { get, post, Refused } from "./api.js";
import { failed } from "./decide.js";
import { button, fill, h, icon, timecode } from "./dom.js";
import { called, listen, lookAt, model, openCharacter } from "./model.js";

const PART = 20; // seconds of boxes that are asked for at once
const LOOK = 700; // ms between looks at a preview that is being made

export function filmPlayer() {
  const root = document.getElementById("player");
  const video = h("video", { playsInline: true, muted: true, preload: "auto", tabindex: "-1" });
  const over = h("div", { class: "boxes" });
  const screen = h("div", { class: "screen" }, video, over);
  const slider = h("input", { type: "range", min: "0", max: "1", step: "0.04", value: "0", "aria-label": "Place in the film" });
  const clock = h("span", { class: "clock" }, "0:00:00");
  const play = button("Play", "", toggle, { picture: "play", class: "round", "aria-label": "Play" });
  const sound = button("Sound", "", hear, { picture: "mute", class: "round", "aria-label": "Sound on" });
  const controls = h("div", { class: "controls" }, play, slider, clock, sound);
  const word = h("div", { class: "word-over" });
  root.append(screen, controls, word);

  const self = { now, seek, toggle, onmove: () => {} };
  let film = -1, ready = false, wanted = null, parts = new Map(), labels = [];

  function now() {
    if (!model.run || !model.run.films[model.film].width) return null;
    return film === model.film && ready ? video.currentTime : wanted;
  }

  function seek(number, seconds) {
    model.film = number;
    const long = model.run.films[number].seconds;
    wanted = Math.min(Math.max(seconds, 0), Math.max(0, long - 0.05));
    open(number);
    if (ready) video.currentTime = wanted;
    self.onmove();
  }

  async function open(number) {
    if (number === film) return;
    film = number;
    ready = false;
    parts = new Map();
    const { width, height, seconds } = model.run.films[number];
    root.hidden = !width;
    if (!width) return;
    screen.style.aspectRatio = `${width} / ${height}`;
    slider.max = String(seconds);
    await load(number);
  }

  async function load(number) {
    try {
      const said = await get(`media?film=${number}`);
      if (number !== film) return;
      const plays = said.kind === "film" || said.kind === "preview";
      screen.classList.toggle("off", !plays);
      controls.hidden = !plays;
      word.hidden = plays;
      if (plays) video.src = `film/${number}?${said.kind}`;
      else tellWhy(number, said);
    } catch (error) {
      await failed(error);
    }
  }

  function tellWhy(number, said) {
    if (said.kind === "making") {
      const share = said.total ? said.done / said.total : 0;
      const bar = h("progress", { max: "1", value: String(share), "aria-label": "Preview" });
      fill(word, h("p", {}, `A preview is being made: ${Math.round(100 * share)} %`), bar);
      setTimeout(() => { if (number === film) load(number); }, LOOK);
      return;
    }
    const make = button("Make a preview", "", async () => {
      try { await post("preview", { film: number }); } catch (error) { await failed(error); }
      load(number);
    });
    if (said.kind === "gone") {
      fill(word, h("p", {}, "The film is not where it was. All else works without it."), h("p", { class: "soft small path" }, said.path));
    } else {
      const trouble = said.error ? h("p", { class: "bad" }, said.error) : null;
      fill(word, h("p", {}, "Browsers do not play this film. A small preview of it is made once, beside the run, without sound."), trouble, make);
    }
  }

  video.addEventListener("loadedmetadata", () => {
    ready = true;
    video.currentTime = wanted ?? 0;
    frame();
  });
  video.addEventListener("error", () => {
    if (!video.getAttribute("src")) return;
    video.removeAttribute("src");
    screen.classList.add("off");
    controls.hidden = true;
    word.hidden = false;
    tellWhy(film, { kind: "unplayed" });
  });
  for (const name of ["seeked", "pause", "timeupdate"]) video.addEventListener(name, () => frame());
  video.addEventListener("play", loop);
  for (const name of ["play", "pause"]) video.addEventListener(name, () => {
    play.replaceChild(icon(video.paused ? "play" : "pause"), play.firstChild);
    play.setAttribute("aria-label", video.paused ? "Play" : "Pause");
  });
  slider.addEventListener("input", () => seek(film, Number(slider.value)));
  screen.addEventListener("click", (event) => { if (event.target === over || event.target === video) toggle(); });

  function toggle() {
    if (film < 0 && model.run.films[model.film].width) open(model.film);
    if (!ready) return;
    if (video.paused) video.play().catch(() => {});
    else video.pause();
  }

  function hear() {
    video.muted = !video.muted;
    sound.replaceChild(icon(video.muted ? "mute" : "sound"), sound.firstChild);
    sound.setAttribute("aria-label", video.muted ? "Sound on" : "Sound off");
  }

  function loop() {
    frame();
    if (video.paused || video.ended) return;
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(loop);
    else requestAnimationFrame(loop);
  }

  /** Show boxes, names and clock of the picture that is seen. */
  function frame() {
    if (film < 0) return;
    const seconds = video.currentTime;
    clock.textContent = timecode(seconds);
    slider.value = String(seconds);
    slider.setAttribute("aria-valuetext", timecode(seconds));
    draw(seconds);
    self.onmove();
  }

  function part(number) {
    if (!parts.has(number)) {
      const asked = film;
      parts.set(number, []);
      get(`boxes?film=${film}&start=${number * PART}&stop=${(number + 1) * PART}`).then((found) => {
        if (asked !== film) return;
        parts.set(number, found);
        if (video.paused) draw(video.currentTime);
      }).catch((error) => { if (!(error instanceof Refused)) parts.delete(number); });
    }
    return parts.get(number);
  }

  function draw(seconds) {
    const number = Math.floor(seconds / PART);
    const seen = part(number).map((one) => [one.track, where(one, seconds)]).filter(([, box]) => box);
    if (seconds > (number + 0.6) * PART) part(number + 1);
    while (labels.length < seen.length) labels.push(newLabel());
    const { width, height } = model.run.films[film];
    labels.forEach((label, i) => {
      label.hidden = i >= seen.length;
      if (label.hidden) return;
      const [track, [x1, y1, x2, y2]] = seen[i];
      const who = model.state.character[track];
      label.dataset.track = String(track);
      label.className = `box${who === model.open ? " open" : ""}${who ? "" : " unknown"}${track === model.track ? " seen" : ""}`;
      label.style.left = `${(100 * x1) / width}%`;
      label.style.top = `${(100 * y1) / height}%`;
      label.style.width = `${(100 * (x2 - x1)) / width}%`;
      label.style.height = `${(100 * (y2 - y1)) / height}%`;
      const text = called(who);
      if (label.textContent !== text) label.firstChild.textContent = text;
      label.setAttribute("aria-label", `${text}, track ${track}`);
    });
  }

  function newLabel() {
    const label = h("button", { type: "button", class: "box", onclick: () => {
      const track = Number(label.dataset.track);
      openCharacter(model.state.character[track], [track]);
      lookAt(track);
    } }, h("span", {}, ""));
    over.append(label);
    return label;
  }

  /** The box of a track at a moment, between the pictures in which it was seen. */
  function where({ track, times, boxes }, seconds) {
    const { start, stop } = model.run.tracks;
    if (seconds < start[track] - 0.02 || seconds > stop[track] - 0.001) return null;
    let after = times.findIndex((time) => time >= seconds);
    if (after < 0) after = times.length - 1;
    const before = Math.max(after - (times[after] > seconds ? 1 : 0), 0);
    const long = times[after] - times[before];
    const share = long > 0 ? Math.min(Math.max((seconds - times[before]) / long, 0), 1) : 0;
    return boxes[before].map((side, i) => side + share * (boxes[after][i] - side));
  }

  document.addEventListener("play", toggle);
  listen((changed) => {
    if (changed.has("track") && model.track >= 0) {
      const { film: of, start, stop } = model.run.tracks;
      const inside = of[model.track] === film && ready && video.currentTime >= start[model.track] && video.currentTime < stop[model.track];
      if (!inside) seek(of[model.track], start[model.track] + Math.min(0.3, (stop[model.track] - start[model.track]) / 2));
    }
    if (changed.has("film") && film !== model.film) {
      wanted = wanted ?? 0;
      open(model.film);
    }
    if (ready && (changed.has("state") || changed.has("open") || changed.has("track"))) draw(video.currentTime);
  });
  return self;
}
