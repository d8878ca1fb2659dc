"""Run folders as reports read them: checked and grouped, with their differences. Imports `bench` and `reports.text`."""
