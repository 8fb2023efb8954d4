"use strict";
(() => {
  for (const one of document.querySelectorAll(".middle")) one.scrollLeft = (one.scrollWidth - one.clientWidth) / 2;
  const map = document.querySelector(".map");
  if (!map) return;
  const tip = document.querySelector(".tip"), ring = map.querySelector(".ring"), view = map.viewBox.baseVal;
  const SVG = "http://www.w3.org/2000/svg", EACH = 256, ACROSS = 16, side = Number(map.dataset.side);
  const dots = [...map.querySelectorAll(".dots path")].map((path) => {
    const [, x, y] = path.getAttribute("d").match(/^M([\d.]+) ([\d.]+)/).map(Number);
    const title = path.querySelector("title"), words = title.textContent;
    title.remove(); // else the browser shows it as well
    return { path, x, y, words, member: path.dataset.m, picture: Number(path.dataset.n ?? -1) };
  });
  const face = document.createElementNS(SVG, "svg"), use = document.createElementNS(SVG, "use");
  const words = document.createElement("div");
  face.setAttribute("class", "face");
  face.append(use);
  tip.append(face, words);
  let now = -1;

  function show(index) {
    now = index;
    const dot = dots[index];
    tip.hidden = !dot;
    ring.toggleAttribute("hidden", !dot);
    if (!dot) return;
    ring.setAttribute("cx", dot.x);
    ring.setAttribute("cy", dot.y);
    face.toggleAttribute("hidden", dot.picture < 0);
    if (dot.picture >= 0) {
      const inside = dot.picture % EACH;
      use.setAttribute("href", `#b${Math.floor(dot.picture / EACH)}`);
      face.setAttribute("viewBox", `${(inside % ACROSS) * side} ${Math.floor(inside / ACROSS) * side} ${side} ${side}`);
    }
    words.textContent = dot.words;
    const box = map.getBoundingClientRect(), scale = box.width / view.width;
    const x = box.left + dot.x * scale, y = box.top + dot.y * scale;
    const { width, height } = tip.getBoundingClientRect();
    const left = x + 16 + width < innerWidth ? x + 16 : x - 16 - width;
    tip.style.left = `${Math.max(4, Math.min(left, innerWidth - width - 4))}px`;
    tip.style.top = `${Math.max(4, Math.min(y - height / 2, innerHeight - height - 4))}px`;
  }

  function nearest(event, most) {
    const box = map.getBoundingClientRect(), scale = box.width / view.width;
    const x = (event.clientX - box.left) / scale, y = (event.clientY - box.top) / scale;
    let best = -1, far = (most / scale) ** 2;
    dots.forEach((dot, index) => {
      const away = (dot.x - x) ** 2 + (dot.y - y) ** 2;
      if (away < far && (chosen === null || dot.member === chosen)) [best, far] = [index, away];
    });
    return best;
  }

  let chosen = null;
  map.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse") show(nearest(event, 14)); });
  map.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") show(-1); });
  map.addEventListener("click", (event) => show(nearest(event, 30)));
  // The keys go on from where they were.
  addEventListener("scroll", () => { tip.hidden = true; ring.toggleAttribute("hidden", true); }, { passive: true, capture: true });
  map.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); show((now + step + dots.length) % dots.length); }
    if (event.key === "Escape") show(-1);
  });
  map.addEventListener("blur", () => show(-1));

  const whos = document.querySelector(".whos");
  function only(item) {
    chosen = item && chosen !== item.dataset.m ? item.dataset.m : null;
    map.classList.toggle("some", chosen !== null);
    for (const dot of dots) dot.path.classList.toggle("on", dot.member === chosen);
    for (const one of whos.children) one.setAttribute("aria-pressed", String(one.dataset.m === chosen));
  }
  whos.dataset.live = "";
  whos.setAttribute("role", "group");
  for (const item of whos.children) {
    item.tabIndex = 0;
    item.setAttribute("role", "button");
    item.setAttribute("aria-pressed", "false");
    item.addEventListener("click", () => only(item));
    item.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); only(item); }
    });
  }
})();
