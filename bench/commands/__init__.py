"""The subcommands of `bench`, one file each."""
