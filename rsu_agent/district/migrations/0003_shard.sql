-- Which of the district's databases this is, and of how many: two that change places would store a site twice.
CREATE TABLE shard (
  number integer NOT NULL, shards integer NOT NULL, one boolean PRIMARY KEY DEFAULT true CHECK (one)
);
