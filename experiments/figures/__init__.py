"""Figures: numbers in, lines on axes out. One module a figure, with the function of the same name in it."""
