"""What each step does: one module for each effect.

An effect gathers plain data, calls one effect package, and returns what to keep. It never writes
a state, and doing it twice has the same result as doing it once.
"""
