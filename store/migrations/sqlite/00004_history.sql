-- +goose Up

-- Every change of every entity, as one record left it. revision numbers an entity's changes from 1 on, so that two units of work that saw
-- the same state cannot both be written. record_time is in milliseconds since 1970, UTC.
CREATE TABLE entity_history (
    id            TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    revision      INTEGER NOT NULL,
    status        TEXT    NOT NULL,
    action        TEXT    NOT NULL,
    deleted       INTEGER NOT NULL,
    body          TEXT    NOT NULL,
    topic         TEXT    NOT NULL,
    partition     INTEGER NOT NULL,
    record_offset INTEGER NOT NULL,
    record_time   INTEGER NOT NULL,
    PRIMARY KEY (id, type, revision)
);

-- +goose Down
DROP TABLE entity_history;
