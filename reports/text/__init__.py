"""Numbers and tables as text. Imports `bench` alone."""
