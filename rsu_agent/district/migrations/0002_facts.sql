-- What the records say, a table a kind, a partition a day (UTC) of t. Partitions are made ahead by the receiver.
DO $$
DECLARE kind text;
BEGIN
  FOREACH kind IN ARRAY ARRAY['event', 'flow', 'phase', 'health', 'audit', 'other'] LOOP
    EXECUTE format(
      'CREATE TABLE %I (site text NOT NULL, epoch bigint NOT NULL, lane text NOT NULL, seq bigint NOT NULL, '
      'place integer NOT NULL, kind text NOT NULL, t timestamptz NOT NULL, stored timestamptz NOT NULL, '
      'body jsonb NOT NULL) PARTITION BY RANGE (t)', kind);
    EXECUTE format('CREATE INDEX %I ON %I (site, t)', kind || '_by_site', kind);
    EXECUTE format('CREATE INDEX %I ON %I USING brin (stored)', kind || '_by_arrival', kind);
  END LOOP;
END $$;

-- Days that a table is kept; operators may change the numbers.
CREATE TABLE keep (fact text PRIMARY KEY, days integer NOT NULL CHECK (days > 0));

-- Typed columns for those who write SQL.
CREATE VIEW flow_by_lane AS SELECT site, t, (body->>'ln')::integer AS entry_lane,
  (body->>'d')::real AS watched_s, body->'n' AS passed, (body->>'v')::real AS speed_mps,
  (body->>'o')::real AS occupancy, (body->>'h')::real AS headway_s, (body->>'dl')::real AS delay_s,
  (body->>'st')::real AS stops, body->'mv' AS movements FROM flow;
CREATE VIEW hazard_event AS SELECT site, t, body->>'i' AS hazard, body->>'h' AS kind, body->>'s' AS state,
  (body->>'lat')::double precision AS lat, (body->>'lon')::double precision AS lon,
  body->>'ev' AS evidence FROM event;
