// The controls of the viewer: which probes are listed, and in what order.

function finder(faces, tools, noun, changed) {
  const named = faces.runs.map((name, run) => [run, name]);
  const compared = faces.runs.findIndex((_, run) => faces.bases[run] !== run);
  const run = chooser(named);
  run.value = Math.max(compared, 0);
  const base = chooser([["", "as reported"], ...named]);
  const outcome = chooser(OUTCOMES);
  const person = make("input", { type: "search", spellcheck: false, autocomplete: "off" });
  const key = make("input", { type: "search", spellcheck: false, autocomplete: "off" });
  const yaw = chooser([["", "all"], ...yawRanges(faces).map(([from, to, text]) => [`${from},${to}`, text])]);
  const order = chooser([
    ["data", "as in the data"],
    ["helped", "most helped first"],
    ["hurt", "most hurt first"],
  ]);
  const onlyPictured = make("input", { type: "checkbox" });
  const status = make("p", { role: "status", className: "muted status" });
  const pictured = faces.slots ? faces.keys.filter((_, probe) => faces.pictured(probe)).length : 0;
  tools.append(labelled("Method", run));
  if (faces.runs.length > 1) tools.append(labelled("Against", base), labelled("Show", outcome));
  if (faces.yaws) tools.append(labelled("Yaw", yaw));
  tools.append(labelled("Identity", person), labelled("Key", key));
  if (faces.runs.length > 1) tools.append(labelled("Order", order));
  if (pictured && pictured < faces.total) {
    onlyPictured.checked = true;
    tools.append(make("label", { className: "check" }, onlyPictured, "with images only"));
  }
  tools.append(status);

  const apply = () => {
    const [method, against] = [Number(run.value), base.value === "" ? faces.bases[Number(run.value)] : Number(base.value)];
    const [from, to] = yaw.value.split(",").map(Number);
    const [people, words] = [person.value.trim().toLowerCase(), key.value.trim().toLowerCase()];
    const matches = faces.people.map((name) => name.toLowerCase().includes(people));
    let shown = [];
    let hidden = 0;
    for (let probe = 0; probe < faces.total; probe += 1) {
      if (!matches[faces.person[probe]]) continue;
      if (words && !faces.keys[probe].toLowerCase().includes(words)) continue;
      if (yaw.value && !(Math.abs(faces.yaws[probe]) >= from && Math.abs(faces.yaws[probe]) < to)) continue;
      if (outcome.value === "failed" && faces.failure(method, probe) === undefined) continue;
      if (["helped", "hurt", "same"].includes(outcome.value) && faces.outcome(method, against, probe) !== outcome.value) {
        continue;
      }
      if (onlyPictured.checked && !faces.pictured(probe)) hidden += 1;
      else shown.push(probe);
    }
    if (order.value !== "data") {
      const way = order.value === "helped" ? -1 : 1;
      const gains = new Map(shown.map((probe) => [probe, faces.gain(method, against, probe) || 0]));
      shown = shown.sort((a, b) => way * (gains.get(a) - gains.get(b)) || a - b);
    }
    const more = hidden ? `; ${counted(hidden)} more have no images here` : "";
    status.textContent = `${counted(shown.length)} of ${counted(faces.total)} ${noun} listed${more}`;
    changed(shown, method, against);
  };
  const soon = onceAFrame(apply);
  for (const control of [run, base, outcome, yaw, order, onlyPictured]) control.addEventListener("change", soon);
  for (const control of [person, key]) control.addEventListener("input", soon);
  return apply;
}

// Each yaw by itself where there are few, else ranges of 15 degrees; either side alike.
function yawRanges(faces) {
  if (!faces.yaws) return [];
  const known = [...new Set([...faces.yaws].filter(Number.isFinite).map(Math.abs))].sort((a, b) => a - b);
  if (known.length <= 9) return known.map((yaw) => [yaw, yaw + 1e-9, `${yaw}°`]);
  const ranges = [];
  for (let from = 0; from <= known[known.length - 1]; from += 15) ranges.push([from, from + 15, `${from}° to ${from + 15}°`]);
  return ranges.filter(([from, to]) => known.some((yaw) => yaw >= from && yaw < to));
}
