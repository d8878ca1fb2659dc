"""A leaderboard of submitted runs. Imports the page, comparison, runs, statistics and text of `reports`."""
