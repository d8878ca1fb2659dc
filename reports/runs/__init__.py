"""Reads run folders, checks and groups them, and lists their differences. Imports `bench` and `reports.text`."""
