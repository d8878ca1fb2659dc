"""Why is a figure bad? Figures at chance, or below the LR face's, with the likely causes."""
