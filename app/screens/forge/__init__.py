"""The forge at the side of the main screen: its panel, and what its keys do."""
