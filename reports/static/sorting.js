// Sorts a table by a click on a heading: best first, then worst first, then as reported. Gaps stay last.

function sortable(table) {
  const body = table.tBodies[0];
  const asReported = [...body.rows];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const button = make("button", { type: "button", className: "sort" });
    button.append(...heading.childNodes);
    heading.append(button);
    heading.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const first = heading.classList.contains("n") && heading.dataset.better !== "lower" ? "descending" : "ascending";
      const second = first === "descending" ? "ascending" : "descending";
      const now = heading.getAttribute("aria-sort");
      const next = now === first ? second : now === second ? "none" : first;
      for (const other of headings) other.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", next);
      body.append(...(next === "none" ? asReported : inOrder(asReported, column, next === "descending" ? -1 : 1)));
    });
  });
  // What a column holds may change under a chosen order: it is put in order again.
  return () => {
    const column = headings.findIndex((heading) => heading.getAttribute("aria-sort") !== "none");
    if (column < 0) return;
    const way = headings[column].getAttribute("aria-sort") === "descending" ? -1 : 1;
    body.append(...inOrder(asReported, column, way));
  };
}

function inOrder(rows, column, way) {
  const keys = new Map(rows.map((row) => [row, sortKey(row.cells[column])]));
  return [...rows].sort((a, b) => {
    const [one, other] = [keys.get(a), keys.get(b)];
    if (one === null || other === null) return (one === null) - (other === null);
    return way * (typeof one === "string" ? one.localeCompare(other, "en", { numeric: true }) : one - other);
  });
}

function sortKey(cell) {
  const number = cell.querySelector("data");
  if (number) return Number(number.value);
  return cell.classList.contains("n") ? null : cell.textContent.trim();
}
