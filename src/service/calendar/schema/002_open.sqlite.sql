-- What others may see, in order of start, with all that a list asks of a row: lists are read from
-- here without the rows themselves.
CREATE INDEX gathering_open ON gathering (visibility, is_long, starts_at, gathering_id, ends_at,
    host_id, deleted_at) WHERE visibility < 2 AND deleted_at IS NULL;
DROP INDEX gathering_public;
