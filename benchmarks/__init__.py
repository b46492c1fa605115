"""How fast, how small and how good Atelier is: commands that measure and print a table.

They report and do not judge; the tests judge.
"""
