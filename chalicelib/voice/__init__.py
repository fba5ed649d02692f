"""Voice: channels, who is in them and what they may, moderation, recordings. See docs/voice.md."""
