-- Version 2: several servers over one database.

-- Who leads.
CREATE TABLE IF NOT EXISTS tp_lease (
  id     INT64 NOT NULL PRIMARY KEY,
  epoch  INT64 NOT NULL, -- as in tp_log, when it was taken
  beat   INT64 NOT NULL, -- changes while the leader lives
  holder ADDRESS NOT NULL, -- where the other servers reach the leader
  freed  INT64 NOT NULL, -- 1: the leader has given it up
  fresh  BYTES -- the published checkpoint with the newest cosignatures
) ENGINE;

ADD ONCE INTO tp_lease (id, epoch, beat, holder, freed) SELECT 1, epoch, 0, '', 0 FROM tp_log WHERE id = 1;

CREATE TABLE IF NOT EXISTS tp_schema (
  id      INT64 NOT NULL PRIMARY KEY,
  version INT64 NOT NULL -- of these tables
) ENGINE;

ADD ONCE INTO tp_schema (id, version) VALUES (1, 1);
