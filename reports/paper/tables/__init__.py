"""The tables of the paper, and how they are written. Imports the page, runs and text of `reports`."""
