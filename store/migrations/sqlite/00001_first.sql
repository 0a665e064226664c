-- +goose Up

-- How far a consumer is with a partition. epoch fences whoever held the partition before; revision counts the commits and
-- the takings, so that two units of work of one owner cannot both count.
CREATE TABLE progress (
    consumer  TEXT    NOT NULL,
    topic     TEXT    NOT NULL,
    partition INTEGER NOT NULL,
    epoch     INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    frontier  INTEGER NOT NULL,
    done      TEXT    NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
) WITHOUT ROWID;

-- The current state of every entity. The id comes first in the key because a unit of work loads by the keys of its records.
-- record_time is in milliseconds since 1970, UTC.
CREATE TABLE entities (
    id              TEXT    NOT NULL,
    type            TEXT    NOT NULL,
    status          TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    deleted         INTEGER NOT NULL,
    body            TEXT    NOT NULL,
    topic           TEXT    NOT NULL,
    partition       INTEGER NOT NULL,
    record_offset   INTEGER NOT NULL,
    record_time     INTEGER NOT NULL,
    first_topic     TEXT    NOT NULL,
    first_partition INTEGER NOT NULL,
    first_offset    INTEGER NOT NULL,
    revision        INTEGER NOT NULL,
    PRIMARY KEY (id, type)
);

CREATE TABLE event_counts (
    day    TEXT    NOT NULL,
    topic  TEXT    NOT NULL,
    action TEXT    NOT NULL,
    status TEXT    NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (day, topic, action, status)
) WITHOUT ROWID;

-- How much of a file counts, in bytes. A file has its row before its first byte is written.
CREATE TABLE sink_files (
    consumer TEXT    NOT NULL,
    instance TEXT    NOT NULL,
    file     TEXT    NOT NULL,
    length   INTEGER NOT NULL,
    PRIMARY KEY (consumer, instance, file)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE sink_files;
DROP TABLE event_counts;
DROP TABLE entities;
DROP TABLE progress;
