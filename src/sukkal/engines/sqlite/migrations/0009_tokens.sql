-- Of several that move a queue, one after another, the later has the greater token: who holds a queue or follows it, and
-- who opened one that came from elsewhere.
ALTER TABLE markers ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
ALTER TABLE followed ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
ALTER TABLE queues ADD COLUMN token INTEGER NOT NULL DEFAULT 0;
