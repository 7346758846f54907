"""What policies and proxies answer: origin decisions, effects, and nginx levels."""
