"""What the records of plans say: conditions with their numbers, and what each of them is read against."""
