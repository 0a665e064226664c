-- +goose Up

-- Every change of every entity, as one record left it. revision numbers an entity's changes from 1 on, so that two units of work that saw
-- the same state cannot both be written. record_time is in milliseconds since 1970, UTC.
CREATE TABLE entity_history (
    id            TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    revision      BIGINT  NOT NULL,
    status        TEXT    NOT NULL,
    action        TEXT    NOT NULL,
    deleted       BOOLEAN NOT NULL,
    body          BYTEA   NOT NULL,
    topic         TEXT    NOT NULL,
    partition     INTEGER NOT NULL,
    record_offset BIGINT  NOT NULL,
    record_time   BIGINT  NOT NULL,
    PRIMARY KEY (id, type, revision)
);

-- +goose Down
DROP TABLE entity_history;
