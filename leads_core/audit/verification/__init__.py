"""`leads audit verify`: the whole trail held against itself, the log, the checkpoints and the leads."""
