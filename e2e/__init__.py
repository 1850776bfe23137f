"""The product as people meet it: a real server, a real worker, a real browser. Run it with `pytest e2e`."""
