-- A message may have a key, by which a newer one takes its place. Only such messages are in the index, so that others do
-- not pay for it.
ALTER TABLE messages ADD COLUMN key BLOB;

CREATE INDEX messages_key ON messages (queue, key) WHERE key IS NOT NULL;
