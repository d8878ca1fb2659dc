// The face viewer of a section: controls, list and close-up.

const TILE = 84;
const CAPTION = 40;

function startViewer(place, data) {
  const faces = new Faces(data);
  const noun = place.dataset.noun;
  const tools = make("div", { className: "tools" });
  const box = make("div", { className: "face-list", role: "listbox", tabIndex: 0 });
  box.setAttribute("aria-label", `${noun}: arrow keys move, Enter opens one`);
  const keys = make("p", { className: "muted keys" },
    "Keys in the list: ↑ ↓ or k j, Page Up, Page Down, Home, End; Enter opens a close-up, in which ← → go on and Esc closes.");
  place.replaceChildren(tools, box, keys);
  let against = 0;
  let method = 0;
  let baseline = null;

  const lines = () => {
    const each = faces.runs.length + 2 + Number(faces.hasTruth);
    const across = Math.max(1, Math.floor((box.clientWidth - 26) / TILE));
    return Math.ceil(each / across);
  };
  const height = () => 44 + lines() * (faces.slots ? TILE + CAPTION : CAPTION + 6);
  const open = (at) => closeUp.show(listing.probes[at], at, listing.probes.length, baseline);
  const listing = new Listing(box, `${place.dataset.viewer}-row`, noun, open);
  const closeUp = new CloseUp(faces, noun, (step) => {
    listing.move(listing.current + step);
    open(listing.current);
  });
  closeUp.dialog.addEventListener("close", () => box.focus());

  const draw = (probe) => drawRow(faces, probe, method, against);
  const apply = finder(faces, tools, noun, (listed, chosen, base) => {
    [method, against] = [chosen, base];
    baseline = base === faces.bases[chosen] ? null : base;
    listing.show(listed, height(), draw);
  });
  apply();
  new ResizeObserver(onceAFrame(() => listing.resize(height()))).observe(box);
}

function drawRow(faces, probe, method, against) {
  const outcome = method === against ? "" : faces.outcome(method, against, probe);
  const head = make("p", { className: "face-head" }, make("bdi", {}, faces.keys[probe]));
  const facts = [];
  if (faces.identity(probe)) facts.push(make("span", {}, "identity ", make("bdi", {}, faces.identity(probe))));
  if (faces.yaws && Number.isFinite(faces.yaws[probe])) facts.push(make("span", {}, `yaw ${degrees(faces.yaws[probe])}`));
  if (faces.truths) facts.push(make("span", {}, `shows ${faces.labels[faces.truths[probe] - 1]}`));
  if (outcome === "helped" || outcome === "hurt") {
    facts.push(make("b", { className: outcome === "helped" ? "better" : "worse" }, outcome));
  }
  head.append(...facts);
  const tiles = make("div", { className: "face-tiles" });
  const add = (tile, caption, detail, run) => {
    const figure = make("div", { className: "face-tile" });
    if (faces.slots) figure.append(faces.picture(probe, tile, ""));
    figure.append(make("span", { className: "face-name", title: caption }, caption), make("span", { className: "face-value" }, detail));
    if (run === method) figure.classList.add("chosen");
    tiles.append(figure);
  };
  if (faces.slots) add(faces.tile(probe, 0), "LR", "", null);
  faces.runs.forEach((name, run) => add(faces.output(probe, run), name, faces.words(run, probe), run));
  if (faces.slots && faces.measure === "rank") add(faces.tile(probe, 3 + 3 * method), "mate", "best mate", null);
  if (faces.hasTruth) add(faces.tile(probe, 1), "ground truth", "", null);
  const each = faces.runs.map((name, run) => `${name}: ${faces.words(run, probe)}`);
  return [[head, tiles], `${faces.keys[probe]}, identity ${faces.identity(probe) || "unknown"}. ${outcome ? `${outcome}. ` : ""}${each.join("; ")}`];
}
