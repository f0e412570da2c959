"""For the paper: tables in three formats, a paragraph on the method, and how to cite."""
