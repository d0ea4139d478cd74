"""The routes, one resource a file. Each translates, makes one lifecycle call, and translates back."""
