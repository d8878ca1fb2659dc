// A list of any length that keeps only its visible rows in the page. Arrow keys move, Enter opens a probe.

const OVERSCAN = 2;

class Listing {
  constructor(box, id, noun, open) {
    this.box = box;
    this.id = id;
    this.noun = noun;
    this.open = open;
    this.rows = new Map();
    this.probes = [];
    this.current = 0;
    this.height = 100;
    this.inner = make("div", { className: "face-rows", role: "presentation" });
    box.append(this.inner);
    box.addEventListener("scroll", onceAFrame(() => this.render()), { passive: true });
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("focus", () => this.move(this.current));
    this.inner.addEventListener("click", (event) => {
      const row = event.target.closest("[role=option]");
      if (!row) return;
      this.move(Number(row.dataset.at));
      this.open(this.current);
    });
  }

  // Lists other probes; draw(probe) gives a row's content and its words for a screen reader.
  show(probes, height, draw) {
    this.probes = probes;
    this.height = height;
    this.draw = draw;
    this.current = 0;
    this.inner.replaceChildren();
    this.rows.clear();
    this.inner.style.height = `${probes.length * height}px`;
    this.box.scrollTop = 0;
    this.box.removeAttribute("aria-activedescendant");
    this.render();
  }

  resize(height) {
    if (height === this.height) return;
    const at = this.box.scrollTop / this.height;
    const { probes, draw, current } = this;
    this.show(probes, height, draw);
    this.current = current;
    this.box.scrollTop = at * height;
    this.render();
  }

  render() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / this.height) - OVERSCAN);
    const shown = Math.ceil(this.box.clientHeight / this.height) + 2 * OVERSCAN;
    const last = Math.min(this.probes.length, first + shown);
    for (const [at, row] of this.rows) {
      if (at >= first && at < last) continue;
      row.remove();
      this.rows.delete(at);
    }
    for (let at = first; at < last; at += 1) if (!this.rows.has(at)) this.rows.set(at, this.row(at));
    for (const [at, row] of this.rows) row.setAttribute("aria-selected", String(at === this.current));
  }

  row(at) {
    const [content, words] = this.draw(this.probes[at]);
    const row = make("div", { role: "option", id: `${this.id}-${at}`, className: "face-row" }, ...content);
    row.dataset.at = at;
    row.setAttribute("aria-label", words);
    row.setAttribute("aria-setsize", this.probes.length);
    row.setAttribute("aria-posinset", at + 1);
    row.style.height = `${this.height}px`;
    row.style.transform = `translateY(${at * this.height}px)`;
    this.inner.append(row);
    return row;
  }

  move(to) {
    if (!this.probes.length) return;
    this.current = Math.min(Math.max(to, 0), this.probes.length - 1);
    const top = this.current * this.height;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    const lowest = top + this.height - this.box.clientHeight;
    if (lowest > this.box.scrollTop) this.box.scrollTop = Math.min(lowest, top);
    this.render();
    this.box.setAttribute("aria-activedescendant", `${this.id}-${this.current}`);
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.height));
    const steps = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page };
    if (event.key in steps) this.move(this.current + steps[event.key]);
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(this.probes.length - 1);
    else if ((event.key === "Enter" || event.key === " ") && this.probes.length) this.open(this.current);
    else return;
    event.preventDefault();
  }
}
