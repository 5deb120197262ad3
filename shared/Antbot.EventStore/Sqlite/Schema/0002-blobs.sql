-- Bodies that are too large for an event, by their hash. Added, never changed.
CREATE TABLE antbot_blobs (
  sha256 TEXT NOT NULL PRIMARY KEY,
  body BLOB NOT NULL
);
