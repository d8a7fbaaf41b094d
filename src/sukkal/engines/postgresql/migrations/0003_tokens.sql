-- Of several that move a queue, one after another, the later has the greater token: who holds a queue, who follows it
-- ("follower"), and who staged or opened one that came from elsewhere.
ALTER TABLE markers ADD COLUMN token bigint NOT NULL DEFAULT 0;

ALTER TABLE queues
    ADD COLUMN token bigint NOT NULL DEFAULT 0,
    ADD COLUMN follower bigint NOT NULL DEFAULT 0;
