"""Reads files of results, as laboratories and other hospitals send them, into what a case can take."""
