"""The Python interface: what `bench.run`, `bench.compare`, `bench.evaluate`, `bench.hallucinate` and `bench.list` call.

Stands on the top floor beside the commands, because it calls reports. May import everything but the commands, which
share its functions. Figures are computed elsewhere.
"""
