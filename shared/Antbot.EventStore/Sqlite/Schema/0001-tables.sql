-- The columns of the PostgreSQL layout. Ids, JSON and times are text (UTC, fixed width, microseconds), hashes are blobs.

-- With a rowid on purpose: streams that are written to are young, so their heads lie together in few pages.
CREATE TABLE mt_streams (
  id TEXT NOT NULL CONSTRAINT pkey_mt_streams_id PRIMARY KEY,
  type TEXT NULL,
  version INTEGER NOT NULL,
  timestamp TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  tenant_id TEXT DEFAULT '*DEFAULT*',
  is_archived INTEGER DEFAULT 0
);

-- AUTOINCREMENT: a number is never given twice, not even after its row is gone.
CREATE TABLE mt_events (
  seq_id INTEGER NOT NULL CONSTRAINT pkey_mt_events_seq_id PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  stream_id TEXT NULL CONSTRAINT fkey_mt_events_stream_id REFERENCES mt_streams (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  data TEXT NOT NULL,
  bdata BLOB NULL,
  type TEXT NOT NULL,
  timestamp TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z'),
  tenant_id TEXT DEFAULT '*DEFAULT*',
  mt_dotnet_type TEXT NULL,
  correlation_id TEXT NULL,
  causation_id TEXT NULL,
  headers TEXT NULL,
  user_name TEXT NULL,
  is_archived INTEGER DEFAULT 0
);

CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON mt_events (stream_id, version);

CREATE TABLE mt_event_progression (
  name TEXT NOT NULL CONSTRAINT pk_mt_event_progression PRIMARY KEY,
  last_seq_id INTEGER NULL,
  last_updated TEXT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f', 'now') || '000Z')
) WITHOUT ROWID;

-- No foreign key to the events: a link must outlive its event for the loss to be seen.
CREATE TABLE antbot_ledger (
  position INTEGER NOT NULL PRIMARY KEY,
  seq_id INTEGER NOT NULL CONSTRAINT antbot_ledger_seq_id UNIQUE,
  event_id TEXT NOT NULL CONSTRAINT antbot_ledger_event_id UNIQUE,
  correlation_id TEXT NULL,
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL,
  is_foreign INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX antbot_ledger_correlation_id ON antbot_ledger (correlation_id) WHERE correlation_id IS NOT NULL;

CREATE TABLE antbot_checkpoints (
  number INTEGER NOT NULL PRIMARY KEY,
  store_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  seq_id INTEGER NOT NULL,
  hash BLOB NOT NULL,
  at TEXT NOT NULL,
  previous BLOB NOT NULL,
  key_id TEXT NOT NULL,
  signature BLOB NOT NULL
);

CREATE TABLE antbot_snapshots (
  stream_id TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (stream_id, name)
);

CREATE TABLE antbot_identity (
  store_id TEXT NOT NULL PRIMARY KEY
);
