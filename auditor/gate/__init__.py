"""What a gate needs beside an audit: findings that do not count, models that changed, and what became worse."""
