// Filters the rows of a leaderboard by words in the cell of the method, by recogniser and by alignment.

const FACETS = [
  ["recogniser", "Recogniser"],
  ["aligner", "Alignment"],
];

function filterable(table, tools) {
  const rows = [...table.tBodies[0].rows];
  if (rows.length < 2) return;
  const words = make("input", { type: "search", spellcheck: false, autocomplete: "off" });
  const status = make("p", { role: "status", className: "muted status" });
  const chosen = [];
  tools.append(labelled("Filter methods", words));
  for (const [key, title] of FACETS) {
    const values = [...new Set(rows.map((row) => row.dataset[key]))].filter(Boolean);
    if (values.length < 2) continue;
    const select = chooser([["", "all"], ...values.map((value) => [value, value])]);
    chosen.push([key, select]);
    tools.append(labelled(title, select));
  }
  tools.append(status);
  const apply = () => {
    const wanted = words.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.cells[0].textContent.toLowerCase();
      row.hidden = !(
        wanted.every((word) => text.includes(word)) &&
        chosen.every(([key, select]) => !select.value || row.dataset[key] === select.value)
      );
      shown += !row.hidden;
    }
    status.textContent = `${shown} of ${rows.length} runs shown`;
  };
  words.addEventListener("input", apply);
  for (const [, select] of chosen) select.addEventListener("change", apply);
  apply();
}
