-- +goose Up
CREATE TABLE journal_entries (
    number    INTEGER PRIMARY KEY AUTOINCREMENT,
    entity    TEXT NOT NULL,
    topic     TEXT NOT NULL,
    partition INTEGER NOT NULL,
    position  INTEGER NOT NULL
) STRICT;
