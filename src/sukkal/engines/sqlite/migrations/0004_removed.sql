-- The greatest sequence among the messages of a queue that are gone. Whoever comes back with an older position may have
-- missed something.
CREATE TABLE removed (
    queue INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL
) STRICT;

-- What went before this was noted is not known, so nobody is told that nothing did.
INSERT INTO removed (queue, sequence) SELECT number, (SELECT last FROM counter) FROM queues WHERE kind <> 'backlog';
