-- +goose Up

-- Offsets that a consumer passed without reading them: those from from_offset up to, and without, to_offset. to_offset is below
-- from_offset where the log ended before the consumer's position and is read from its start. found is in milliseconds since 1970, UTC.
CREATE TABLE gaps (
    consumer    TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    partition   INTEGER NOT NULL,
    from_offset BIGINT  NOT NULL,
    to_offset   BIGINT  NOT NULL,
    reason      TEXT    NOT NULL,
    found       BIGINT  NOT NULL,
    PRIMARY KEY (consumer, topic, partition, from_offset)
);

-- +goose Down
DROP TABLE gaps;
