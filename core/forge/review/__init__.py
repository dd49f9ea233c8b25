"""Review bytes before they leave, and make the questions for the user."""
