-- Identity of every envelope: the key that makes a second arrival a duplicate.
CREATE TABLE envelope (
  site text NOT NULL, epoch bigint NOT NULL, lane text NOT NULL, seq bigint NOT NULL,
  utc_us bigint NOT NULL, stored timestamptz NOT NULL,
  PRIMARY KEY (site, epoch, lane, seq)
) PARTITION BY HASH (site, epoch, lane);
DO $$ BEGIN
  FOR i IN 0..15 LOOP
    EXECUTE format('CREATE TABLE envelope_%s PARTITION OF envelope FOR VALUES WITH (MODULUS 16, REMAINDER %s)', i, i);
  END LOOP;
END $$;

-- How far each lane has come: hw is the highest number seen, gaps those below it that are missing. Identities
-- up to floor have been swept away: what comes with such a number again is a duplicate.
CREATE TABLE site_lane (
  site text NOT NULL, epoch bigint NOT NULL, lane text NOT NULL,
  hw bigint NOT NULL DEFAULT 0, floor bigint NOT NULL DEFAULT 0, gaps int8multirange NOT NULL DEFAULT '{}',
  stored timestamptz NOT NULL DEFAULT now(), utc_us bigint NOT NULL DEFAULT 0,
  clock_s double precision, version integer NOT NULL DEFAULT 1,
  envelopes bigint NOT NULL DEFAULT 0, duplicates bigint NOT NULL DEFAULT 0, refused bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (site, epoch, lane)
) WITH (fillfactor = 50);

CREATE TABLE site (
  site text PRIMARY KEY, district text NOT NULL, lat double precision, lon double precision,
  state jsonb, stated timestamptz, since timestamptz NOT NULL DEFAULT now()
);

-- Envelopes of versions that this receiver cannot read, as they came.
CREATE TABLE raw_envelope (
  site text NOT NULL, epoch bigint NOT NULL, lane text NOT NULL, seq bigint NOT NULL,
  version integer NOT NULL, bytes bytea NOT NULL, stored timestamptz NOT NULL,
  PRIMARY KEY (site, epoch, lane, seq)
);

CREATE TABLE dead_letter (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, stored timestamptz NOT NULL,
  site text NOT NULL, topic text NOT NULL, reason text NOT NULL, detail text NOT NULL,
  epoch bigint, lane text, seq bigint, size integer NOT NULL, bytes bytea NOT NULL
);
CREATE UNIQUE INDEX dead_once ON dead_letter (site, epoch, lane, seq) WHERE seq IS NOT NULL;
CREATE INDEX dead_by_time ON dead_letter (stored);
