-- +goose Up

-- What replays have applied of a gap since: done has its offsets, as in progress. closed is 1 where the gap is of a topic that is gone, so that
-- nothing of it can be applied any more.
CREATE TABLE gap_replays (
    consumer    TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    partition   INTEGER NOT NULL,
    from_offset BIGINT  NOT NULL,
    closed      INTEGER NOT NULL,
    done        TEXT    NOT NULL,
    PRIMARY KEY (consumer, topic, partition, from_offset)
);

-- +goose Down
DROP TABLE gap_replays;
