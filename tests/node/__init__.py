"""The media node's transport with real peers: aiortc's full ICE, DTLS and SCTP, and Chromium."""
