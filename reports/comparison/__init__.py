"""Two runs compared, with paired tests, and a gate on them. Imports the runs, statistics and text of `reports`."""
