"""Paired differences, intervals and confusion matrices over runs. Imports `bench` and `reports.runs`."""
