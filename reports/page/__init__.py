"""A report as HTML, Markdown, CSV and JSON. Imports the runs, statistics, charts, viewer and text of `reports`."""
