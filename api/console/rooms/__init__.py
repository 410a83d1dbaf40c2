"""Pages behind a mailed link that stay open as long as somebody is written to, opened by a code at each visit."""
