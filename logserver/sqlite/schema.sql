-- Trillian's storage.sql (v1.8.0) for SQLite: the same tables, columns, keys and
-- foreign keys. Where it differs:
--
--  * STRICT tables; the enumerations are CHECK constraints.
--  * WITHOUT ROWID for the tables of small rows that are read by key. LeafData and
--    Subtree keep a rowid: their rows fill pages, and SQLite stores large rows in
--    an index tree badly.
--  * No index over MerkleLeafHash. It would be the one write at a random place for
--    every leaf, which slows a log down as it grows, and nothing of ours asks for
--    a leaf by its hash; if something does, Trillian's query still answers.
--  * MySQL takes Deleted = 'false' for Deleted = 0, SQLite does not: a trigger
--    keeps NULL in place of 0, which Trillian reads as the same.

CREATE TABLE IF NOT EXISTS Trees(
  TreeId                INTEGER NOT NULL,
  TreeState             TEXT NOT NULL CHECK(TreeState IN('ACTIVE', 'FROZEN', 'DRAINING')),
  TreeType              TEXT NOT NULL CHECK(TreeType IN('LOG', 'MAP', 'PREORDERED_LOG')),
  HashStrategy          TEXT NOT NULL,
  HashAlgorithm         TEXT NOT NULL,
  SignatureAlgorithm    TEXT NOT NULL,
  DisplayName           TEXT CHECK(length(DisplayName) <= 20),
  Description           TEXT CHECK(length(Description) <= 200),
  CreateTimeMillis      INTEGER NOT NULL,
  UpdateTimeMillis      INTEGER NOT NULL,
  MaxRootDurationMillis INTEGER NOT NULL,
  PrivateKey            BLOB NOT NULL,
  PublicKey             BLOB NOT NULL, -- holds Trillian's storage settings
  Deleted               INTEGER,
  DeleteTimeMillis      INTEGER,
  PRIMARY KEY(TreeId)
) STRICT;

CREATE TRIGGER IF NOT EXISTS TreesUndeleted AFTER UPDATE OF Deleted ON Trees WHEN NEW.Deleted = 0
BEGIN
  UPDATE Trees SET Deleted = NULL WHERE TreeId = NEW.TreeId;
END;

CREATE TABLE IF NOT EXISTS TreeControl(
  TreeId                  INTEGER NOT NULL REFERENCES Trees(TreeId) ON DELETE CASCADE,
  SigningEnabled          INTEGER NOT NULL,
  SequencingEnabled       INTEGER NOT NULL,
  SequenceIntervalSeconds INTEGER NOT NULL,
  PRIMARY KEY(TreeId)
) STRICT;

CREATE TABLE IF NOT EXISTS Subtree(
  TreeId          INTEGER NOT NULL REFERENCES Trees(TreeId) ON DELETE CASCADE,
  SubtreeId       BLOB NOT NULL,
  Nodes           BLOB NOT NULL,
  SubtreeRevision INTEGER NOT NULL,
  PRIMARY KEY(TreeId, SubtreeId, SubtreeRevision)
) STRICT;

CREATE TABLE IF NOT EXISTS TreeHead(
  TreeId            INTEGER NOT NULL REFERENCES Trees(TreeId) ON DELETE CASCADE,
  TreeHeadTimestamp INTEGER NOT NULL,
  TreeSize          INTEGER,
  RootHash          BLOB NOT NULL,
  RootSignature     BLOB NOT NULL,
  TreeRevision      INTEGER,
  PRIMARY KEY(TreeId, TreeHeadTimestamp)
) STRICT, WITHOUT ROWID;

-- One root for each revision of a tree: the guard against two writers.
CREATE UNIQUE INDEX IF NOT EXISTS TreeHeadRevisionIdx ON TreeHead(TreeId, TreeRevision);

CREATE TABLE IF NOT EXISTS LeafData(
  TreeId              INTEGER NOT NULL REFERENCES Trees(TreeId) ON DELETE CASCADE,
  LeafIdentityHash    BLOB NOT NULL,
  LeafValue           BLOB NOT NULL,
  ExtraData           BLOB,
  QueueTimestampNanos INTEGER NOT NULL,
  PRIMARY KEY(TreeId, LeafIdentityHash)
) STRICT;

CREATE TABLE IF NOT EXISTS SequencedLeafData(
  TreeId                  INTEGER NOT NULL REFERENCES Trees(TreeId) ON DELETE CASCADE,
  SequenceNumber          INTEGER NOT NULL CHECK(SequenceNumber >= 0),
  LeafIdentityHash        BLOB NOT NULL,
  MerkleLeafHash          BLOB NOT NULL,
  IntegrateTimestampNanos INTEGER NOT NULL,
  PRIMARY KEY(TreeId, SequenceNumber),
  FOREIGN KEY(TreeId, LeafIdentityHash) REFERENCES LeafData(TreeId, LeafIdentityHash) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS Unsequenced(
  TreeId              INTEGER NOT NULL,
  Bucket              INTEGER NOT NULL,
  LeafIdentityHash    BLOB NOT NULL,
  MerkleLeafHash      BLOB NOT NULL,
  QueueTimestampNanos INTEGER NOT NULL,
  QueueID             BLOB DEFAULT NULL UNIQUE,
  PRIMARY KEY(TreeId, Bucket, QueueTimestampNanos, LeafIdentityHash)
) STRICT, WITHOUT ROWID;
