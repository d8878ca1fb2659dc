"""How the command line reads, prints and suggests. May import what it prints; knows no subcommand."""
