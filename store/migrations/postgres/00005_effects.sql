-- +goose Up

-- What a consumer did outside, by the record that it did it for and the part of it: state says how far that is. id is what the other side
-- knows it by. intent is another one for each try that is begun. changed is in milliseconds since 1970, UTC.
CREATE TABLE effects (
    consumer      TEXT    NOT NULL,
    topic         TEXT    NOT NULL,
    partition     INTEGER NOT NULL,
    record_offset BIGINT  NOT NULL,
    entity        TEXT    NOT NULL,
    action        TEXT    NOT NULL,
    part          TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    intent        TEXT    NOT NULL,
    changed       BIGINT  NOT NULL,
    PRIMARY KEY (consumer, topic, partition, record_offset, entity, action, part)
);
CREATE INDEX effects_by_age ON effects (consumer, changed);

-- +goose Down
DROP TABLE effects;
