-- Urgent cases come first in every list; few are, so that the index is small.
create index case_view_pressing on case_view (next_due, stream) where urgent and open;
