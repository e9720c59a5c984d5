"""What is looked for in the examples of a recipe before they are frozen. Plain functions over texts, and the
job that calls them."""
