-- The table of what is gone also keeps, under negative numbers, when contents of queues were given up, by a hash of the
-- queue's key: so nobody is told that nothing was lost before there was a queue if there had been another. Under 0 is the
-- time before which this was not noted.
INSERT INTO removed (queue, sequence) SELECT 0, last FROM counter;
