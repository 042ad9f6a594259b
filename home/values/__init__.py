"""What a value that a person typed means: one module for each kind of value.

Each ``clean`` returns the value as it is stored, compared, mailed and searched. It removes only
what nobody can see and what has no meaning. Forms, searches and settings share these functions.
"""
