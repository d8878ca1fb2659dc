// Starts the scripts of the page. Without scripts the page is still readable.

for (const board of document.querySelectorAll("[data-board]")) {
  const table = board.querySelector("table");
  const tools = make("div", { className: "tools" });
  board.prepend(tools);
  const again = sortable(table);
  filterable(table, tools);
  rebase(table, tools, dataOf(board.dataset.board), again);
  if (!tools.childElementCount) tools.remove();
}
for (const table of document.querySelectorAll("table.sortable")) sortable(table);
for (const place of document.querySelectorAll("[data-viewer]")) startViewer(place, dataOf(place.dataset.viewer));
