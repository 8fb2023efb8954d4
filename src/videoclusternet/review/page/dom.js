// Small helpers: elements from text alone, icons, and how times are written.

/** Make an element. Properties that begin with "on" are listeners; text is never markup. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put other children into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

const PATHS = {
  undo: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "m15 14 5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
  ask: "M9.200 9a3 3 0 1 1 4.600 2.500c-1.200.800-1.800 1.400-1.800 2.800M12 18h.010M12 2.500a9.500 9.500 0 1 1 0 19 9.500 9.500 0 0 1 0-19",
  again: "M20 11a8 8 0 0 0-14.500-4L3 9.500M3 4v5.500h5.500M4 13a8 8 0 0 0 14.500 4l2.500-2.500M21 20v-5.500h-5.500",
  keys: "M3 6h18v12H3zM7 10h.010M11 10h.010M15 10h.010M8 14h8",
  lock: "M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3",
  hidden: "M3 12c2.500-4.500 5.500-6.500 9-6.500s6.500 2 9 6.500c-2.500 4.500-5.500 6.500-9 6.500S5.500 16.500 3 12M4 20 20 4",
  note: "M5 4h14v12l-4 4H5zM9 9h6M9 13h4",
  check: "m5 12.500 4.500 4.500L19 7.500",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  sound: "M4 9.500v5h4l5 4v-13l-5 4zM16.500 9a4 4 0 0 1 0 6",
  mute: "M4 9.500v5h4l5 4v-13l-5 4zM16.500 9.500l5 5M21.500 9.500l-5 5",
  close: "M6 6l12 12M18 6 6 18",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon ${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button with a text, its key, and perhaps an icon. */
export function button(text, key, onclick, more = {}) {
  const { picture, ...rest } = more;
  return h(
    "button",
    { type: "button", onclick, ...rest },
    picture ? icon(picture) : null,
    h("span", { class: "word" }, text),
    key ? h("kbd", { "aria-hidden": "true" }, key) : null,
  );
}

export function picture(row, alt = "") {
  if (row < 0) return h("span", { class: "none", "aria-hidden": "true" });
  return h("img", { src: `crop/${row}.jpg`, alt, decoding: "async", draggable: "false" });
}

export function timecode(seconds) {
  const whole = Math.floor(seconds + 1e-6);
  const two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export function span(seconds) {
  if (seconds < 0.1) return "<0.1 s";
  if (Math.round(seconds * 10) < 100) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

export function percent(share) {
  return `${share >= 0.995 && share < 1 ? 99 : Math.round(100 * share)}\u00a0%`;
}

export function several(count, thing) {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** How sure: a word for colours. */
export function sureness(confidence) {
  return confidence >= 0.9 ? "sure" : confidence >= 0.6 ? "fair" : "doubt";
}
