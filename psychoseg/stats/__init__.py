"""Array maths of the field; it knows no files, names, frames or figures."""
