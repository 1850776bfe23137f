"""How a person works each page, in the words a person reads there."""
