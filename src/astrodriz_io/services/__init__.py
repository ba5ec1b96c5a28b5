"""Web services: how they are asked, for how long, and what they answer."""
