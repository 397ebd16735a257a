"""How a joined data set tells its parts apart: keys that it writes and an evaluator reads."""

# metainfo of the joined data set: where each part ends, and what of its metainfo is its own
ENDS_OF_PARTS, METAINFO_OF_PARTS = "cumulative_sizes", "metainfo_of_parts"
# metainfo of each sample: its index in the joined data set
JOINED_INDEX = "joined_index"
