"""The media node: one more peer of every room it serves, with a UDP port in front and a WebSocket behind (DESIGN, law 4)."""
