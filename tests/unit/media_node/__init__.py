"""The media node's pure parts."""
