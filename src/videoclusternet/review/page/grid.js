// A list or a grid of thousands of items of which only those in sight are in the document.

import { h } from "./dom.js";

let lists = 0;

export class Grid {
  /**
   * @param root element that scrolls
   * @param options label; width, height and gap of a cell in px (width 0: one column); make() a cell;
   *   show(cell, item) fills it; onactive(item, event), ontoggle(item), onrange(items), onenter(item)
   */
  constructor(root, options) {
    Object.assign(this, { gap: 0, pad: 0 }, options);
    this.root = root;
    this.items = [];
    this.active = -1;
    this.cells = new Map(); // index -> cell
    this.spare = [];
    this.prefix = `grid${(lists += 1)}`;
    this.columns = 1;
    this.space = h("div", { class: "space", role: "presentation" });
    root.append(this.space);
    for (const [name, value] of Object.entries({
      role: "listbox", tabindex: "0", "aria-label": options.label, "aria-multiselectable": "true",
    })) root.setAttribute(name, value);
    let asked = 0;
    root.addEventListener("scroll", () => {
      asked ||= requestAnimationFrame(() => { asked = 0; this.draw(); });
    }, { passive: true });
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.draw()).observe(root);
  }

  set(items) {
    this.items = items;
    if (this.active >= items.length) this.active = items.length - 1;
    this.draw(true);
  }

  /** Draw what is in sight; with `anew` also what was there. */
  draw(anew = false) {
    const { clientWidth, clientHeight, scrollTop } = this.root;
    if (!clientWidth || !clientHeight) return;
    const room = clientWidth - 2 * this.pad;
    const columns = this.width ? Math.max(1, Math.floor((room + this.gap) / (this.width + this.gap))) : 1;
    const moved = columns !== this.columns || clientWidth !== this.last;
    this.columns = columns;
    this.last = clientWidth;
    const wide = (room - (columns - 1) * this.gap) / columns;
    const step = this.tall(wide) + this.gap;
    this.step = step;
    const rows = Math.ceil(this.items.length / columns);
    this.space.style.height = `${Math.max(0, rows * step - this.gap + 2 * this.pad)}px`;
    const first = Math.max(0, Math.floor((scrollTop - this.pad) / step) - 1) * columns;
    const last = Math.min(this.items.length, (Math.ceil((scrollTop + clientHeight) / step) + 1) * columns);
    for (const [index, cell] of this.cells) {
      if (index < first || index >= last) {
        this.cells.delete(index);
        this.spare.push(cell);
        cell.hidden = true;
      }
    }
    for (let index = first; index < last; index += 1) {
      let cell = this.cells.get(index);
      const fresh = !cell;
      if (fresh) {
        cell = this.spare.pop() ?? this.create();
        cell.hidden = false;
        cell.id = `${this.prefix}-${index}`;
        this.cells.set(index, cell);
      }
      if (fresh || moved) {
        const x = this.pad + (index % columns) * (wide + this.gap);
        const y = this.pad + Math.floor(index / columns) * step;
        cell.style.transform = `translate(${x}px, ${y}px)`;
        cell.style.width = `${wide}px`;
        cell.style.height = `${step - this.gap}px`;
      }
      if (fresh || anew) this.paint(cell, index);
    }
    this.mark();
  }

  tall(wide) {
    return typeof this.height === "function" ? this.height(wide) : this.height;
  }

  create() {
    const cell = this.make();
    cell.classList.add("cell");
    cell.setAttribute("role", "option");
    this.space.append(cell);
    return cell;
  }

  paint(cell, index) {
    cell.dataset.index = String(index);
    cell.setAttribute("aria-posinset", String(index + 1));
    cell.setAttribute("aria-setsize", String(this.items.length));
    this.show(cell, this.items[index]);
  }

  /** Draw the cells in sight again: what is selected has changed. */
  refresh() {
    for (const [index, cell] of this.cells) this.paint(cell, index);
    this.mark();
  }

  mark() {
    for (const [index, cell] of this.cells) cell.classList.toggle("active", index === this.active);
    const there = this.cells.get(this.active);
    if (there) this.root.setAttribute("aria-activedescendant", there.id);
    else this.root.removeAttribute("aria-activedescendant");
  }

  /** Make an item the active one and bring it into sight. */
  go(index, far = "near") {
    if (!this.items.length) return;
    this.active = Math.min(Math.max(index, 0), this.items.length - 1);
    const step = this.step || 1;
    const top = this.pad + Math.floor(this.active / this.columns) * step;
    const { scrollTop, clientHeight } = this.root;
    if (top - this.pad < scrollTop) this.root.scrollTop = top - this.pad;
    else if (top + step > scrollTop + clientHeight) this.root.scrollTop = top + step - clientHeight;
    if (far === "top") this.root.scrollTop = 0;
    this.draw();
  }

  click(event) {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    const index = Number(cell.dataset.index);
    const before = this.active;
    this.active = index;
    if (event.shiftKey && before >= 0 && this.onrange) this.onrange(this.between(before, index));
    else if (event.ctrlKey || event.metaKey || event.target.closest(".tick")) this.ontoggle?.(this.items[index]);
    else this.onactive?.(this.items[index], event);
    this.mark();
  }

  between(a, b) {
    return this.items.slice(Math.min(a, b), Math.max(a, b) + 1);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.root.clientHeight / (this.step || 1))) * this.columns;
    const steps = {
      ArrowDown: this.columns, ArrowUp: -this.columns, ArrowRight: 1, ArrowLeft: -1,
      PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity,
    };
    if (event.key in steps) {
      const before = Math.max(this.active, 0);
      const jump = !Number.isFinite(steps[event.key]);
      this.go(this.active < 0 && !jump ? 0 : Math.min(Math.max(before + steps[event.key], 0), this.items.length - 1));
      if (event.shiftKey && this.onrange) this.onrange(this.between(before, this.active));
      else this.onmove?.(this.items[this.active]);
    } else if (event.key === " " && this.active >= 0) {
      this.ontoggle?.(this.items[this.active]);
    } else if (event.key === "Enter" && this.active >= 0) {
      this.onenter?.(this.items[this.active]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
