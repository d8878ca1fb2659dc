"""Classifiers of facial expressions: networks, and the plain loop that trains one a fold."""
