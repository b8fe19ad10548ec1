"""The worker's own HTTP server, for those who run it: is it alive, is it ready, what does it do."""
