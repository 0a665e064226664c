-- +goose Up

-- How far a consumer is with a partition. epoch fences whoever held the partition before; revision counts the commits and
-- the takings, so that two units of work of one owner cannot both count. The row is changed at each commit: room is left for that beside it.
CREATE TABLE progress (
    consumer  TEXT    NOT NULL,
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    epoch     BIGINT  NOT NULL,
    revision  BIGINT  NOT NULL,
    frontier  BIGINT  NOT NULL,
    done      TEXT    NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50);

-- The current state of every entity. body is the JSON as it came: convert_from(body, 'UTF8')::jsonb.
-- record_time is in milliseconds since 1970, UTC.
CREATE TABLE entities (
    id              TEXT    NOT NULL,
    type            TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    deleted         BOOLEAN NOT NULL,
    body            BYTEA   NOT NULL,
    topic           TEXT    NOT NULL,
    partition       INTEGER NOT NULL,
    record_offset   BIGINT  NOT NULL,
    record_time     BIGINT  NOT NULL,
    first_topic     TEXT    NOT NULL,
    first_partition INTEGER NOT NULL,
    first_offset    BIGINT  NOT NULL,
    revision        BIGINT  NOT NULL,
    PRIMARY KEY (id, type)
) WITH (fillfactor = 80);

CREATE TABLE event_counts (
    day    TEXT   NOT NULL,
    topic  TEXT   NOT NULL,
    action TEXT   NOT NULL,
    status TEXT   NOT NULL,
    events BIGINT NOT NULL,
    PRIMARY KEY (day, topic, action, status)
) WITH (fillfactor = 50);

-- How much of a file counts, in bytes. A file has its row before its first byte is written. instance is the process that writes it.
CREATE TABLE sink_files (
    consumer TEXT   NOT NULL,
    instance TEXT   NOT NULL,
    file     TEXT   NOT NULL,
    length   BIGINT NOT NULL,
    PRIMARY KEY (consumer, instance, file)
) WITH (fillfactor = 80);

-- +goose Down
DROP TABLE sink_files;
DROP TABLE event_counts;
DROP TABLE entities;
DROP TABLE progress;
