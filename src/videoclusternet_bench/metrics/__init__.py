"""Measures of a clustering against labels (METHOD 7), and of the time it takes."""
