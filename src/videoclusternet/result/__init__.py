"""A finished run read back: tables, edits, characters, their pictures.

described -> edits -> found -> characters -> result
"""
