"""A dataset in the forms that trainers load, written as it is read: a download begins at once, however large
the dataset is, and takes no memory."""
