"""Forms of annotations, one file each: what points to the form, reading it, writing it."""
