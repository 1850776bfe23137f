"""Real servers on loopback for tests: name server, web server (http and https with a CA of its own), both together."""
