"""Tables, charts and the HTML page, from runs and their datasets."""
