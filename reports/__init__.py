"""Run folders to pages, tables and figures. Needs no torch."""
