"""API Gateway on one machine: REST v1 proxy, WebSocket, @connections, and CloudFront's part: the page on the same origin."""
