"""Where embedding runs: on this machine. May import the pipeline and all below."""
