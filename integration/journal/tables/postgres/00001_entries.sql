-- +goose Up
CREATE TABLE journal_entries (
    number    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity    TEXT NOT NULL,
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    position  BIGINT  NOT NULL
);
