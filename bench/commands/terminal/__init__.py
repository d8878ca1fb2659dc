"""Parsing, output and suggestions of the command line. May import what it prints; knows no subcommand."""
