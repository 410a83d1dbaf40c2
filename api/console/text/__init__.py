"""The words of the pages: texts by key and language, facts, times, counted things, charts."""
