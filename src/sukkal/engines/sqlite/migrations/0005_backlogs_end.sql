-- A backlog ends with its subscription, whether or not a sweep has been there. Other queues have no end.
ALTER TABLE queues ADD COLUMN ends_ms INTEGER;

UPDATE queues SET ends_ms = s.expires_ms FROM subscriptions AS s
WHERE queues.kind = 'backlog' AND queues.project = s.project AND queues.name = s.id;
