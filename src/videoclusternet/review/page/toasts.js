// Short words about what happened.

import { button, h } from "./dom.js";

const LASTS = 6000;
const MOST = 3;

/** Say something; `act` is a button [text, what it does]; kind "bad" stays longer. */
export function toast(text, { kind = "", act = null } = {}) {
  const place = raise();
  const away = () => said.remove();
  const said = h(
    "div",
    { class: `toast ${kind}` },
    h("p", {}, text),
    act ? button(act[0], "", () => { away(); act[1](); }) : null,
  );
  place.append(said);
  while (place.children.length > MOST) place.firstElementChild.remove();
  setTimeout(away, kind === "bad" ? 2 * LASTS : LASTS);
}

/** Put messages into the topmost window: what is beside it can be neither clicked nor heard. */
export function raise() {
  const place = document.getElementById("toasts");
  const home = [...document.querySelectorAll("dialog[open]")].pop() ?? document.body;
  if (place.parentElement !== home) home.append(place);
  return place;
}

/** Say for good that the server has ended, or that it is back. */
export function gone(text) {
  const place = document.getElementById("gone");
  if (place.textContent !== text) {
    place.textContent = text;
    if (text && document.querySelector("dialog[open]")) toast(text, { kind: "bad" });
  }
  place.hidden = !text;
}
