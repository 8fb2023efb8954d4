"""The laboratory: labelled data, measures, methods, studies, tables and pictures."""
