-- The tables of one log. HASH, BYTES, PATH, INT64 and ENGINE are replaced by
-- what the database calls them.

-- One row. What is decided and signed is compared and swapped here.
CREATE TABLE IF NOT EXISTS tp_log (
  id       INT64 NOT NULL PRIMARY KEY,
  tree_id  INT64 NOT NULL, -- in Trillian
  epoch    INT64 NOT NULL, -- of the leader
  decided  INT64 NOT NULL, -- number of entries whose bytes and index are fixed
  signed   INT64 NOT NULL, -- size of the newest stored checkpoint
  snapshot INT64 NOT NULL  -- size that tp_records is of
) ENGINE;

-- Batches decided and not yet signed.
CREATE TABLE IF NOT EXISTS tp_batches (
  first INT64 NOT NULL PRIMARY KEY,
  next  INT64 NOT NULL,
  data  BYTES NOT NULL -- each entry with its length before it, as in an entry bundle
) ENGINE;

-- The index of each statement.
CREATE TABLE IF NOT EXISTS tp_statements (
  id    HASH NOT NULL PRIMARY KEY,
  entry INT64 NOT NULL
) ENGINE;

-- What each entry is about, by the hash of the record's key.
CREATE TABLE IF NOT EXISTS tp_about (
  record HASH NOT NULL,
  entry  INT64 NOT NULL,
  PRIMARY KEY (record, entry)
) ENGINE;

CREATE TABLE IF NOT EXISTS tp_checkpoints (
  size      INT64 NOT NULL PRIMARY KEY,
  signed    BYTES NOT NULL, -- by the log
  published BYTES           -- with the cosignatures that first met the quorum
) ENGINE;

-- The snapshot of the state.
CREATE TABLE IF NOT EXISTS tp_records (
  record HASH NOT NULL PRIMARY KEY,
  kind   PATH NOT NULL,
  data   BYTES NOT NULL
) ENGINE;

-- Tiles, where they are not files: the parts of each as they were put.
CREATE TABLE IF NOT EXISTS tp_tiles (
  path  PATH NOT NULL,
  start INT64 NOT NULL,
  data  BYTES NOT NULL,
  PRIMARY KEY (path, start)
) ENGINE;
