"""What every method takes (a question) and hands back (an answer), and how it says no."""
