// One probe enlarged: its output, best mate and best non-mate under each run, and buttons to the next and previous probe.

class CloseUp {
  constructor(faces, noun, step) {
    this.faces = faces;
    this.noun = noun;
    this.title = make("h4", { tabIndex: -1 });
    this.body = make("div", { className: "closeup-body" });
    const button = (text, work) => {
      const control = make("button", { type: "button", className: "plain" }, text);
      control.addEventListener("click", work);
      return control;
    };
    this.dialog = make(
      "dialog",
      { className: "closeup" },
      make("div", { className: "closeup-bar" }, button("← Previous", () => step(-1)), button("Next →", () => step(1)),
        button("Close", () => this.dialog.close())),
      make("div", { role: "status" }, this.title),
      this.body,
    );
    this.dialog.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const steps = { ArrowRight: 1, j: 1, ArrowLeft: -1, k: -1 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      step(steps[event.key]);
    });
    document.body.append(this.dialog);
  }

  show(probe, at, of, base) {
    const { faces } = this;
    const key = faces.keys[probe];
    this.title.replaceChildren(`${counted(at + 1)} of ${counted(of)}: `, make("bdi", {}, key));
    this.dialog.setAttribute("aria-label", `One of the ${this.noun}`);
    const whole = make("div", { className: "face-tiles large" });
    whole.append(this.figure(probe, faces.tile(probe, 0), "low-resolution face", "LR", ""));
    if (faces.hasTruth) whole.append(this.figure(probe, faces.tile(probe, 1), "ground-truth face", "ground truth", ""));
    const facts = make("p", { className: "muted" }, "Identity ", make("bdi", {}, faces.identity(probe) || "–"));
    if (faces.yaws && Number.isFinite(faces.yaws[probe])) facts.append(`, yaw ${degrees(faces.yaws[probe])}`);
    if (faces.truths) facts.append(`, shows ${faces.labels[faces.truths[probe] - 1]}`);
    this.body.replaceChildren(facts, ...(faces.slots ? [whole] : []), this.table(probe, base));
    if (!this.dialog.open) this.dialog.showModal();
    this.title.focus();
  }

  figure(probe, tile, alt, caption, detail) {
    return make("figure", {}, this.faces.picture(probe, tile, alt), make("figcaption", {}, make("bdi", {}, caption), make("small", {}, detail)));
  }

  table(probe, base) {
    const { faces } = this;
    const searched = faces.measure === "rank";
    const titles = ["Method", { rank: "Rank", psnr: "PSNR", label: "Predicted" }[faces.measure]];
    if (faces.slots) titles.splice(1, 0, "Output");
    if (faces.slots && searched) titles.push("Best mate", "Best non-mate");
    const head = make("tr", {}, ...titles.map((title) => make("th", { scope: "col" }, title)));
    const body = make("tbody");
    faces.runs.forEach((name, run) => {
      const against = base === null ? faces.bases[run] : base;
      const outcome = run === against ? "" : faces.outcome(run, against, probe);
      const reason = faces.failure(run, probe);
      const value = make("td", {}, make("strong", {}, faces.words(run, probe)));
      if (outcome) value.append(make("small", { className: { helped: "better", hurt: "worse" }[outcome] || "" }, outcome));
      if (reason !== undefined) value.append(make("small", {}, make("bdi", {}, reason)));
      const picture = (tile, alt) => make("td", { className: "pic" }, faces.picture(probe, tile, alt));
      const row = make("tr", {}, make("th", { scope: "row" }, make("bdi", {}, name)));
      if (faces.slots) row.append(picture(faces.output(probe, run), `output of ${name}`));
      row.append(value);
      if (faces.slots && searched) {
        row.append(picture(faces.tile(probe, 3 + 3 * run), `best mate under ${name}`));
        row.append(picture(faces.tile(probe, 4 + 3 * run), `best non-mate under ${name}`));
      }
      body.append(row);
    });
    const caption = make("caption", {}, "Under each run");
    return make("table", { className: "closeup-table" }, caption, make("thead", {}, head), body);
  }
}
