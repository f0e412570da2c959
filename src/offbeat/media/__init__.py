"""The only place that touches codecs: probe, read, encode, mux, measure a delay, synthesise scenes."""
