"""How well a voice is understood that came through a network: a spoken sample, two pages, and what is made of it."""
