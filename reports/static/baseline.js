// Replaces the baseline or the figure of the differences. All differences were computed and formatted when the page was written.

function rebase(table, tools, data, again) {
  const heading = table.querySelector("th[data-column=difference]");
  if (!heading || !data || !data.figures.length) return;
  const cells = [...table.querySelectorAll("td[data-figure=difference]")];
  const tests = [...table.querySelectorAll("[data-column=test]")];
  const reported = cells.map((cell) => [...cell.childNodes]);
  const reportedTitle = [...heading.querySelector("button").childNodes];
  const runs = chooser([["", "as reported"], ...data.runs.map((name, place) => [place, name])]);
  const figures = chooser(data.figures.map((figure, place) => [place, figure.name]));
  tools.append(labelled("Compare with", runs), labelled("Differences in", figures));
  const apply = () => {
    const asReported = runs.value === "" && figures.value === "0";
    const figure = data.figures[Number(figures.value)];
    for (const test of tests) test.hidden = !asReported; // p-values are of the reported comparisons alone
    const button = heading.querySelector("button");
    if (asReported) button.replaceChildren(...reportedTitle);
    else button.replaceChildren(`Δ ${figure.name}`, make("small", {}, figure.unit));
    cells.forEach((cell, i) => {
      if (asReported) return cell.replaceChildren(...reported[i]);
      const place = Number(cell.parentNode.dataset.place);
      const base = runs.value === "" ? Number(cell.parentNode.dataset.base) : Number(runs.value);
      return cell.replaceChildren(...difference(figure, place, base, data.runs));
    });
    again();
  };
  runs.addEventListener("change", apply);
  figures.addEventListener("change", apply);
}

function difference(figure, place, base, names) {
  if (place === base) return ["baseline"];
  const turned = place > base;
  const pair = figure.pairs[turned ? `${base},${place}` : `${place},${base}`];
  if (!pair) return ["–"];
  const [value, forth, back, range, rangeBack, rows] = pair;
  return [
    make("strong", {}, make("data", { value: turned ? -value : value }, turned ? back : forth)),
    make("small", {}, turned ? rangeBack : range),
    make("small", { className: "against" }, "to ", make("bdi", {}, names[base]), `, over ${counted(rows)}`),
  ];
}
