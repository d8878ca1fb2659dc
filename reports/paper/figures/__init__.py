"""The figures of the paper, drawn by matplotlib. Imports the runs, statistics and text of `reports`."""
