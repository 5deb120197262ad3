-- Streams that are over and old go to a file. Their links stay, and of each event what its link's proof needs: its version and the hash of its content.
CREATE TABLE antbot_archives (
  number INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL CONSTRAINT antbot_archives_name UNIQUE,
  events INTEGER NOT NULL
);

CREATE TABLE antbot_archived_streams (
  stream_id TEXT NOT NULL PRIMARY KEY,
  archive INTEGER NOT NULL,
  version INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE antbot_archived (
  seq_id INTEGER NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL,
  version INTEGER NOT NULL,
  archive INTEGER NOT NULL,
  content BLOB NOT NULL
);
