// The film as lanes, one a character, drawn on a canvas that shows what is in sight.

import { h, timecode } from "./dom.js";
import { listen, lookAt, model, openCharacter, shown } from "./model.js";

const TALL = 18, NAMES = 104, THIN = 2, MARKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const MOST_CUTS = 400;

export function filmLanes(player) {
  const root = document.getElementById("lanes");
  const canvas = h("canvas", { role: "img" });
  const space = h("div", { class: "space" });
  const scroll = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "The film, one lane a character" }, canvas, space);
  const films = h("select", { "aria-label": "Film", onchange: () => { model.film = films.selectedIndex; lookAt(-1); draw(); } });
  root.append(films, scroll);
  let people = [];
  let asked = 0;
  const draw = () => { asked ||= requestAnimationFrame(() => { asked = 0; paint(); }); };

  const length = () => Math.max(model.run.films[model.film].seconds, 0.001);
  const place = (seconds, wide) => NAMES + (seconds / length()) * (wide - NAMES - 8);
  const when = (x, wide) => ((x - NAMES) / (wide - NAMES - 8)) * length();

  function paint() {
    const { clientWidth: wide, clientHeight: high, scrollTop } = scroll;
    if (!wide || !model.run) return;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(wide * scale);
    canvas.height = Math.round(high * scale);
    canvas.style.width = `${wide}px`;
    canvas.style.height = `${high}px`;
    space.style.height = `${people.length * TALL + TALL - high}px`;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    pen.textBaseline = "middle";
    const ink = inks();
    axis(pen, ink, wide, high);
    const first = Math.floor(scrollTop / TALL);
    const last = Math.min(people.length, Math.ceil((scrollTop + high) / TALL));
    for (let lane = first; lane < last; lane += 1) row(pen, ink, people[lane], TALL + lane * TALL - scrollTop, wide);
    pen.clearRect(0, 0, wide, TALL);
    marks(pen, ink, wide);
    head(pen, ink, wide, high);
  }

  function axis(pen, ink, wide, high) {
    const { cuts } = model.run.films[model.film];
    if (cuts.length > MOST_CUTS) return;
    pen.fillStyle = ink.line;
    for (const cut of cuts) pen.fillRect(Math.round(place(cut, wide)), TALL, 1, high);
  }

  function marks(pen, ink, wide) {
    const step = MARKS.find((one) => length() / one <= Math.max(2, (wide - NAMES) / 90)) ?? 7200;
    pen.fillStyle = ink.soft;
    for (let at = 0; at <= length(); at += step) {
      const x = place(at, wide);
      const text = timecode(at);
      pen.fillText(text, Math.min(x, wide - pen.measureText(text).width - 4), TALL / 2);
    }
  }

  function row(pen, ink, person, y, wide) {
    const { film, start, stop } = model.run.tracks;
    const open = person.number === model.open;
    if (open) { pen.fillStyle = ink.tint; pen.fillRect(0, y, wide, TALL); }
    pen.fillStyle = open ? ink.ink : ink.soft;
    pen.fillText(fitted(pen, person.label, NAMES - 16), 8, y + TALL / 2);
    for (const track of person.tracks) {
      if (film[track] !== model.film) continue;
      const x = place(start[track], wide);
      pen.fillStyle = model.chosen.has(track) || track === model.track ? ink.edge : person.number ? (open ? ink.bar : ink.dim) : ink.grey;
      pen.fillRect(x, y + 4, Math.max(THIN, place(stop[track], wide) - x), TALL - 8);
    }
  }

  function head(pen, ink, wide, high) {
    const now = player.now();
    if (now === null) return;
    pen.fillStyle = ink.edge;
    pen.fillRect(Math.round(place(now, wide)), 0, 2, high);
  }

  function at(event) {
    const box = scroll.getBoundingClientRect();
    const lane = Math.floor((event.clientY - box.top + scroll.scrollTop) / TALL) - 1;
    const header = event.clientY - box.top < TALL;
    const x = event.clientX - box.left;
    return { person: header ? undefined : people[lane], seconds: x < NAMES ? null : Math.min(Math.max(when(x, box.width), 0), length()) };
  }

  /** The track of a character that is nearest to a moment of the film. */
  function nearest(person, seconds) {
    const { film, start, stop } = model.run.tracks;
    const far = (track) => Math.max(start[track] - seconds, seconds - stop[track], 0);
    const here = person.tracks.filter((track) => film[track] === model.film);
    return here.reduce((best, track) => (best < 0 || far(track) < far(best) ? track : best), -1);
  }

  scroll.addEventListener("click", (event) => {
    const { person, seconds } = at(event);
    if (person && person.number !== model.open) openCharacter(person.number);
    if (seconds === null) return;
    const track = person ? nearest(person, seconds) : -1;
    if (track >= 0) lookAt(track);
    player.seek(model.film, seconds);
  });
  scroll.addEventListener("mousemove", (event) => {
    const { person, seconds } = at(event);
    canvas.title = [person?.label, seconds === null ? null : timecode(seconds)].filter(Boolean).join(", ");
  });
  scroll.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    player.seek(model.film, (player.now() ?? 0) + (event.key === "ArrowRight" ? 1 : -1) * Math.max(1, length() / 200));
  });
  scroll.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(draw).observe(scroll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  player.onmove = draw;
  listen((changed) => {
    if (changed.has("state")) {
      people = shown();
      films.hidden = model.run.films.length < 2;
      if (films.options.length !== model.run.films.length) {
        films.replaceChildren(...model.run.films.map((film) => h("option", {}, film.name)));
      }
      canvas.setAttribute("aria-label", `${people.length} lanes over ${timecode(length())}`);
      root.style.setProperty("--lanes", String(people.length + 1));
    }
    if (changed.has("film")) films.selectedIndex = model.film;
    if (changed.has("open")) follow();
    draw();
  });

  /** Keep the lane of the character that is open in sight. */
  function follow() {
    const lane = people.findIndex((person) => person.number === model.open);
    const top = lane * TALL;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top + 2 * TALL > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + 2 * TALL - scroll.clientHeight;
  }
}

function fitted(pen, text, wide) {
  if (pen.measureText(text).width <= wide) return text;
  let end = text.length;
  while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > wide) end -= 1;
  return `${text.slice(0, end)}…`;
}

function inks() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ink", "soft", "line", "bar", "dim", "grey", "edge", "tint"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
